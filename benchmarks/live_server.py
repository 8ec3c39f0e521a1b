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
from typing import NamedTuple

import numpy as np

_STAMP = struct.Struct("<I")  # a frame's number before its message
MOST_BYTES = 65_536
ROOM_BYTES = 1 << 22  # as much of it as the system allows
HEAD_START_S = 0.3  # for the client to be there
CLOCK = time.CLOCK_MONOTONIC  # one for all processes


class Served(NamedTuple):
    """What a real server did with M frames in I batches."""

    latency_s_M: np.ndarray  # from when each frame was due to its answer
    size_I: np.ndarray
    busy_s_I: np.ndarray  # taking in messages since the batch before, and answering


def serve(
    answer: Callable[[Sequence[bytes]], object],
    messages: Sequence[bytes],
    arrive_s_M: np.ndarray,
    batch: int,
    max_wait_s: float,
) -> Served:
    """Serve frames that are due at these times after the start; frame m is messages[m % len]."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM_BYTES)
    begin_s = time.clock_gettime(CLOCK) + HEAD_START_S
    client = get_context("fork").Process(target=_send, args=(theirs, messages, arrive_s_M + begin_s))
    client.start()
    theirs.close()
    ours.setblocking(False)
    done_s_M = np.zeros(len(arrive_s_M))
    waiting: deque[tuple[int, bytes]] = deque()
    batches: list[tuple[int, float]] = []
    answered, busy_s = 0, 0.0
    gc.collect()
    gc.disable()
    try:
        while answered < len(arrive_s_M):
            if len(waiting) < batch:
                now_s = time.clock_gettime(CLOCK) - begin_s
                due_s = arrive_s_M[waiting[0][0]] + max_wait_s if waiting else None
                select.select([ours], [], [], None if due_s is None else max(0.0, due_s - now_s))
            woken_s = time.clock_gettime(CLOCK)
            _receive(ours, waiting)
            now_s = time.clock_gettime(CLOCK)
            busy_s += now_s - woken_s
            if len(waiting) < batch and not (
                waiting and now_s - begin_s >= arrive_s_M[waiting[0][0]] + max_wait_s
            ):
                continue
            taken = [waiting.popleft() for _ in range(min(batch, len(waiting)))]
            answer([message for _, message in taken])
            done_s = time.clock_gettime(CLOCK)
            done_s_M[[number for number, _ in taken]] = done_s - begin_s
            batches.append((len(taken), busy_s + done_s - now_s))
            answered, busy_s = answered + len(taken), 0.0
    finally:
        gc.enable()
        client.join()
        ours.close()
    size_I, busy_s_I = np.array(batches).T
    return Served(done_s_M - arrive_s_M, size_I.astype(np.int64), busy_s_I)


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
