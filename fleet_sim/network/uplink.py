"""The state of cells' uplinks and cameras' queues, as arrays of records that the compiled step works on.

A *transmitter* is what can have one packet on the air: a cell, or with ALOHA a camera.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.network.capacity import first_state
from fleet_sim.network.link import ALOHA, MARKOV, PROPORTIONAL, TOKENS, WORK_A_BIT, Link
from fleet_sim.network.queues import NONE, Pool, new_pool

NEVER = np.int64(2**62)
PPM = 1_000_000
AT_FULL_RATE = np.zeros(0, np.int64)
# Why a packet on the air is lost whatever the channel does.
SOUND, CUT, COLLIDED = range(3)
# What a camera is at: waiting for its turn, sending, waiting for a time.
TURN, AIR, WAKE = 1, 2, 4

CELL = np.dtype(
    [
        ("end_us", "i8"),  # when the cell's packet is through, or it will try again; NEVER when idle
        ("spare", "i8"),  # see network.capacity
        ("virtual", "i8"),  # tag of the packet on the air, or of the last one
        ("wire_bits", "i8"),  # sent so far
        ("number", "i4"),  # of the cell in the whole fleet
        ("first_row", "i4"),  # of its cameras ...
        ("rows", "i4"),  # ... and how many there are
        ("sender", "i4"),  # row whose packet is on the air; -1 when there is none
        ("turns", "i4"),  # cameras that wait for their turn
        ("wakes", "i4"),  # cameras that wait for a time
    ],
    align=True,
)
CAMERA = np.dtype(
    [
        ("tag", "i8"),  # tag at which its last packet finished
        ("turn_key", "i8"),
        ("camera", "i4"),
        ("turn", "i4"),  # place in the heap of the cell's cameras that wait for their turn: a row
        ("first", "i4"),  # its queue of messages, the oldest first; messages on the air stay in it
        ("last", "i4"),
        ("length", "i4"),
        ("waiting_bytes", "i4"),  # with all headers; less what is on the air or through
        ("attempts", "u4"),  # packets ever begun
        ("fragment", "i2"),  # fragments of the oldest message that are through
        ("flags", "u1"),
        ("tries", "u1"),  # failed attempts at its packet
        ("bad", "?"),  # Gilbert-Elliott state
    ],
    align=True,
)
PACKET = np.dtype([("since_us", "i8"), ("bytes", "i4"), ("messages", "i2"), ("fate", "i1")], align=True)
WAITING = np.dtype([("not_before_us", "i8"), ("wake_us", "i8"), ("wake", "i4")], align=True)
SERVED = np.dtype([("bits", "i8"), ("as_of_us", "i8")])
VARYING = np.dtype([("slot", "i8"), ("tokens", "i8"), ("tokens_us", "i8"), ("state", "i4")], align=True)
CHANNEL = np.dtype([("busy_until_us", "i8"), ("alone", "i4")], align=True)


class Uplinks(NamedTuple):
    """C cells, their R cameras (rows, sorted by cell), T transmitters; what a link does not need is empty."""

    cells: np.ndarray  # (C,) CELL
    cameras: np.ndarray  # (R,) CAMERA
    air: (
        np.ndarray
    )  # (T,) PACKET on the air; `messages` are through with it, 0 with a fragment before the last
    waiting: np.ndarray  # (R,) WAITING; `wake` is a heap like `turn`
    served: np.ndarray  # (R,) SERVED, for proportional fairness
    varying: np.ndarray  # (C,) VARYING, for Markov links and token buckets
    channels: np.ndarray  # (C, K) CHANNEL, for ALOHA; `alone` counts while it is busy: -1 for several packets
    rate_ppm: np.ndarray  # (R,) int64, a camera's share of its cell's rate; empty where all have all of it


def waits(link: Link) -> bool:
    """Whether this link makes cameras wait for a time."""
    return bool(
        link.sharing == ALOHA or link.rest_ppm or link.aggregate > 1 or (link.retries and link.retry_wait_us)
    )


def idle_uplinks(
    link: Link,
    seed: int,
    number_C: np.ndarray,
    camera_R: np.ndarray,
    count_C: np.ndarray,
    rate_ppm_R: np.ndarray = AT_FULL_RATE,
) -> tuple[Uplinks, Pool]:
    """Cells with these many cameras each, and room for their messages, before anything is sent."""
    cells, cameras = np.zeros(len(count_C), CELL), np.zeros(len(camera_R), CAMERA)
    cells["number"], cells["rows"] = number_C, count_C
    cells["first_row"] = np.cumsum(count_C) - count_C
    cells["end_us"], cells["sender"] = NEVER, -1
    cameras["camera"], cameras["first"], cameras["last"] = camera_R, NONE, NONE
    aloha, varies = link.sharing == ALOHA, link.capacity in (MARKOV, TOKENS)
    varying = np.zeros(len(cells) if varies else 0, VARYING)
    varying["tokens"] = link.bucket_bits * WORK_A_BIT
    if link.capacity == MARKOV:
        varying["state"] = [first_state(link, seed, number) for number in number_C]
    channels = np.zeros((len(cells) if aloha else 0, link.channels), CHANNEL)
    channels["alone"] = -1
    return Uplinks(
        cells=cells,
        cameras=cameras,
        air=np.zeros(len(cameras) if aloha else len(cells), PACKET),
        waiting=np.zeros(len(cameras) if waits(link) else 0, WAITING),
        served=np.zeros(len(cameras) if link.sharing == PROPORTIONAL else 0, SERVED),
        varying=varying,
        channels=channels,
        rate_ppm=rate_ppm_R,
    ), new_pool(len(cameras) + 64)
