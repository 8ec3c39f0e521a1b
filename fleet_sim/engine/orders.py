"""Orders to the fleet: which version cameras are to have, and what brings each there, by what it has."""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.basics.hashing import STREAM_ROLLOUT, draw_below

MICRO = 1_000_000


class Order(NamedTuple):
    """What a part of the fleet is to have, until the next order; orders are at least a period apart.

    One that goes `back` is to all cameras with the version: by a command they take up again what they had
    before it, which they have kept.
    """

    number: int  # the first is 0
    from_us: int
    version: int
    release: int  # whose waves these are, see `in_wave`
    below_ppm: int
    content_bytes_V: np.ndarray  # that bring a camera there, by the version it has
    back: bool


NO_ORDER = Order(-1, 0, 0, 0, 0, np.zeros(0, np.int64), False)


class Known(NamedTuple):
    """What shards know of versions while they go on to some time."""

    from_us_V: np.ndarray  # where versions do not travel: from when on every camera has each
    order: Order = NO_ORDER


@inlined()
def in_wave(seed, release, camera, below_ppm):
    """Whether a camera is among the first so many millionths of the fleet that a release goes to."""
    return draw_below(seed, STREAM_ROLLOUT, camera, release, MICRO) < below_ppm


@bare()
def cameras_in_wave(seed, release, cameras, below_ppm):
    """How many of the fleet's cameras are."""
    count = 0
    for camera in range(cameras):
        count += in_wave(seed, release, camera, below_ppm)
    return count


@inlined()
def content_of(order):
    """A number for what an order has sent: a version, or the command to go back from it."""
    return 2 * order.version + order.back


@inlined()
def goes_back(content):
    """Whether it is such a command."""
    return content % 2 == 1
