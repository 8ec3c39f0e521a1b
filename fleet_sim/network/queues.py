"""Cameras' queues: messages in the order in which they became ready, kept in one pool for all cameras.

A message lies in the pool from when it is ready until it is done with: through, or dropped for a reason.
Whoever is done with a message puts it on the pool's list of finished ones; the engine counts and frees those.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import at, inlined

NONE = -1
# What became of a finished message.
THROUGH, BUFFER, LATE, LOST, OUT = range(5)

MESSAGE = np.dtype(
    [
        ("capture_us", "i8"),
        ("next", "i4"),  # in its queue, among the free places, or among the finished messages
        ("row", "i4"),
        ("frame", "i4"),
        ("bytes", "i4"),  # message header and payload
        ("millibits", "i4"),  # ideal size
        ("level", "i1"),
        ("version", "i1"),
        ("fate", "i1"),
    ],
    align=True,
)
ENDS = np.dtype([("free", "i4"), ("finished", "i4"), ("last_finished", "i4")])


class Pool(NamedTuple):
    """Places for messages, and the first free place and finished messages; NONE where there is none."""

    messages: np.ndarray  # (P,) MESSAGE
    ends: np.ndarray  # (1,) ENDS


def new_pool(places: int) -> Pool:
    """An empty pool."""
    messages = np.zeros(places, MESSAGE)
    messages["next"] = np.append(np.arange(1, places), NONE)
    return Pool(messages, np.array([(0, NONE, NONE)], ENDS))


def grown(pool: Pool) -> Pool:
    """The same pool with half as many places more, for one that has no free place left."""
    old = len(pool.messages)
    more = new_pool(old // 2 + 64).messages
    more["next"][:-1] += old
    ends = pool.ends.copy()
    ends["free"] = old
    return Pool(np.concatenate([pool.messages, more]), ends)


@inlined()
def append(camera, pool, row, frame, capture_us, size, millibits, level, version, wire_bytes):
    """Put a message at the end of its camera's queue; the pool must have a free place."""
    ends = pool.ends[0]
    place = ends.free
    message = pool.messages[at(place)]
    ends.free = message.next
    message.next = NONE
    message.row = row
    message.frame = frame
    message.capture_us = capture_us
    message.bytes = size
    message.millibits = millibits
    message.level = level
    message.version = version
    if camera.length == 0:
        camera.first = place
    else:
        pool.messages[at(camera.last)].next = place
    camera.last = place
    camera.length += 1
    camera.waiting_bytes += wire_bytes


@inlined()
def finish_after(camera, pool, before, fate):
    """Take the message behind place `before` (NONE: the first) out of its queue: it is finished."""
    place = camera.first if before == NONE else pool.messages[before].next
    message, ends = pool.messages[at(place)], pool.ends[0]
    if before == NONE:
        camera.first = message.next
    else:
        pool.messages[before].next = message.next
    if camera.last == place:
        camera.last = before
    camera.length -= 1
    message.fate = fate
    message.next = NONE
    if ends.finished == NONE:
        ends.finished = place
    else:
        pool.messages[at(ends.last_finished)].next = place
    ends.last_finished = place


@inlined()
def take_finished(pool):
    """Place of the next finished message, NONE if there is none; it may be read until the next `append`."""
    ends = pool.ends[0]
    place = ends.finished
    if place != NONE:
        message = pool.messages[at(place)]
        ends.finished = message.next
        message.next = ends.free
        ends.free = place
    return place
