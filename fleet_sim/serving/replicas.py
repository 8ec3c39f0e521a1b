"""A pool of replicas behind one server: what never changes, and its state as records and linked queues.

Shapes: R replicas, P classes of frames (the first is served first), K decoders that a replica holds,
X changes by failures, M frames.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import inlined

LATER = 2**62
NONE = -1
WAITS, SHED = -1, -2  # in place of the head that answers a frame
# What is given up: nothing; what is too late when its batch starts; and what is bound to be when it arrives.
KEEP, LATE, PREDICTED = range(3)
# How the number of replicas is set.
FIXED, UTILISATION, QUEUE = range(3)
# What a server adds up beside answers.
WORK = ("batches", "frames", "redone", "wait_us", "busy_us", "ready_us")
BATCHES, FRAMES, REDONE, WAIT_US, BUSY_US, READY_US = range(len(WORK))

REPLICA = np.dtype(
    [
        ("up_us", "i8"),  # gets frames from then on; LATER: not at all
        ("free_us", "i8"),  # when its batch in service is done
        ("start_us", "i8"),  # when its next batch starts as things are, LATER: not yet known
        ("waiting", "i4"),
        ("serving", "i4"),
        ("batch", "i4"),  # the first frame in service
        ("head", "i2"),  # that serves it
        ("failed", "i2"),  # failures that last
    ],
    align=True,
)
CLOCK = np.dtype(
    [
        ("now_us", "i8"),  # of the last event
        ("scale_us", "i8"),  # when the number of replicas is set next
        ("busy_us", "i8"),  # service begun by all replicas ...
        ("busy_seen_us", "i8"),  # ... and of it what was done when that number was set last
        ("wanted", "i4"),
        ("ready", "i4"),  # replicas that could work
        ("next_failure", "i4"),
    ],
    align=True,
)
ENDS = np.dtype([("first", "i4"), ("last", "i4"), ("length", "i4")])


class Rules(NamedTuple):
    """How a pool works; whole numbers only."""

    seed: int
    end_us: int  # of the run
    max_wait_us: int
    service_us_HN: np.ndarray  # of head h for n frames; the last n is the largest batch
    head_from_us_W: np.ndarray
    head_W: np.ndarray
    class_G: np.ndarray  # of each group of cameras
    replicas: int  # at first
    hashed: bool
    shed: int
    queue_limit: int
    scaling: int
    least: int
    most: int
    target: int  # a busy share in ppm, or waiting frames a replica
    startup_us: int
    period_us: int
    resident: int  # decoders that a replica holds; 0: all
    load_us: int
    standby: bool  # a head is loaded beside those in use before it is switched to
    failure_us_X: np.ndarray  # rising; of one time, ends come first
    failure_replica_X: np.ndarray
    failure_change_X: np.ndarray  # 1 it begins, -1 it ends


class Pool(NamedTuple):
    """State between two events."""

    replicas: np.ndarray  # (R,) REPLICA
    queues: np.ndarray  # (R + 1, P) ENDS: of each replica and class; the last row holds what none has
    resident_RK: np.ndarray  # decoders, last used first; K is 0 where all are held
    clock: np.ndarray  # (1,) CLOCK
    work_Q: np.ndarray  # (len(WORK),) int64


class Frames(NamedTuple):
    """M frames: those the pool holds, then those to come in order of arrival."""

    arrive_us: np.ndarray
    expiry_us: np.ndarray  # an answer after this is late
    camera: np.ndarray
    version: np.ndarray
    priority: np.ndarray  # class
    queued_us: np.ndarray  # when it came to its replica
    link: np.ndarray  # int32: the next of its queue or batch
    head: np.ndarray  # what became of it: the head that answered, WAITS or SHED ...
    ended_us: np.ndarray  # ... and when


def new_pool(rules: Rules) -> Pool:
    """Before the first frame; a replica that holds only some decoders has loaded none."""
    classes = int(rules.class_G.max()) + 1
    pool = Pool(
        np.zeros(rules.most, REPLICA),
        np.full((rules.most + 1, classes), np.array((NONE, NONE, 0), ENDS)),
        np.full((rules.most, rules.resident), NONE, np.int32),
        np.zeros(1, CLOCK),
        np.zeros(len(WORK), np.int64),
    )
    pool.replicas["up_us"][rules.replicas :] = LATER
    pool.replicas["start_us"] = LATER
    pool.replicas["batch"] = NONE
    pool.clock["wanted"] = pool.clock["ready"] = rules.replicas
    pool.clock["scale_us"] = LATER if rules.scaling == FIXED else rules.period_us
    return pool


@inlined()
def append(queues, link, row, place, frame):
    """Put a frame at the end of a queue."""
    ends = queues[row, place]
    link[frame] = NONE
    if ends.last == NONE:
        ends.first = frame
    else:
        link[ends.last] = frame
    ends.last = frame
    ends.length += 1


@inlined()
def take_first(queues, link, row, place):
    """Take the first frame off a queue; NONE where it is empty."""
    ends = queues[row, place]
    frame = ends.first
    if frame != NONE:
        ends.first = link[frame]
        if ends.first == NONE:
            ends.last = NONE
        ends.length -= 1
    return frame


@inlined()
def take_last(queues, link, row, place):
    """Take the last frame off a queue that is not empty."""
    ends = queues[row, place]
    last, before, frame = ends.last, NONE, ends.first
    while frame != last:
        before, frame = frame, link[frame]
    ends.last = before
    if before == NONE:
        ends.first = NONE
    else:
        link[before] = NONE
    ends.length -= 1
    return last
