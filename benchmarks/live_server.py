"""A real decoder server on this machine: messages come over a socket from another process, by the clock.

It batches by the rule of docs/serving.md, on true time: it starts when `batch` frames wait or the oldest has
waited `max_wait_s`, and takes what has come by then, oldest first.
"""

import gc
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing import get_context

import numpy as np

_STAMP = struct.Struct("<I")  # a frame's number before its message
MOST_BYTES = 65_536
ROOM_BYTES = 1 << 22  # as much of it as the system allows
CLOCK = time.CLOCK_MONOTONIC  # one for all processes


def latencies_s(
    answer: Callable[[Sequence[bytes]], object],
    messages: Sequence[bytes],
    arrive_s: np.ndarray,
    batch: int,
    max_wait_s: float,
) -> np.ndarray:
    """Seconds from when each frame was due to when it was answered, (M,); frame m is messages[m % len].

    arrive_s: (M,) rising, from the start of the client.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM_BYTES)
    begin_s = time.clock_gettime(CLOCK) + 2.0
    client = get_context("fork").Process(target=_send, args=(theirs, messages, arrive_s + begin_s))
    client.start()
    theirs.close()
    ours.setblocking(False)
    done_s = np.zeros(len(arrive_s))
    waiting: deque[tuple[int, bytes]] = deque()
    answered = 0
    gc.collect()
    gc.disable()
    try:
        while answered < len(arrive_s):
            patience_s = None  # nothing waits: for as long as it takes
            if waiting:
                now_s = time.clock_gettime(CLOCK) - begin_s
                patience_s = max(0.0, arrive_s[waiting[0][0]] + max_wait_s - now_s)
            if len(waiting) < batch and patience_s != 0:
                select.select([ours], [], [], patience_s)
            _receive(ours, waiting)
            now_s = time.clock_gettime(CLOCK) - begin_s
            if waiting and (len(waiting) >= batch or now_s >= arrive_s[waiting[0][0]] + max_wait_s):
                taken = [waiting.popleft() for _ in range(min(batch, len(waiting)))]
                answer([message for _, message in taken])
                done_s[[number for number, _ in taken]] = time.clock_gettime(CLOCK) - begin_s
                answered += len(taken)
    finally:
        gc.enable()
        client.join()
        ours.close()
    return done_s - arrive_s


def _receive(ours: socket.socket, waiting: deque[tuple[int, bytes]]) -> None:
    """Take what has come."""
    while True:
        try:
            datagram = ours.recv(MOST_BYTES)
        except BlockingIOError:
            return
        if not datagram:  # the client has sent everything
            return
        waiting.append((_STAMP.unpack_from(datagram)[0], datagram[_STAMP.size :]))


def _send(theirs: socket.socket, messages: Sequence[bytes], due_s: np.ndarray) -> None:
    """Send every message when it is due."""
    for number, at_s in enumerate(due_s.tolist()):
        datagram = _STAMP.pack(number) + messages[number % len(messages)]
        time.sleep(max(0.0, at_s - time.clock_gettime(CLOCK)))
        theirs.send(datagram)
    os._exit(0)
