"""The concave hull of accuracy against bits, and a camera's frames along it.

Of all ways to spend bits on many like frames, none beats giving each frame one of two levels that lie next to
each other on the upper concave hull of share right against expected bits, with not sending as its first point
(the argument of J. Shoham, A. Gersho, "Efficient bit allocation for an arbitrary set of quantizers", 1988).
A camera that may spend `plan` bits a frame gives as many of its frames the upper one as that pays for.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.control.observation import SKIP

MILLI = 1000


class Hulls(NamedTuple):
    """Of V versions and G groups of cameras; behind the last of a hull's corners, H at most, all is 0."""

    bits_VGL: np.ndarray  # int64, expected wire bits of a frame at each level
    corners_VG: np.ndarray  # int64, how many corners the hull has
    level_VGH: np.ndarray  # int64, their levels; the first is SKIP
    bits_VGH: np.ndarray  # int64, their bits, rising from 0
    right_VGH: np.ndarray  # float64, their share of right answers, rising from 0


NO_HULLS = Hulls(
    np.zeros((0, 0, 0), np.int64),
    np.zeros((0, 0), np.int64),
    np.zeros((0, 0, 0), np.int64),
    np.zeros((0, 0, 0), np.int64),
    np.zeros((0, 0, 0)),
)
"""Where nothing is allocated."""


def hulls_of(bits_VGL: np.ndarray, right_VGL: np.ndarray) -> Hulls:
    """The hulls of these expected wire bits (int64) and shares of right answers (float64)."""
    *groups, levels = bits_VGL.shape
    shape = (*groups, levels + 1)
    hulls = Hulls(
        bits_VGL,
        np.ones(groups, np.int64),
        np.full(shape, SKIP, np.int64),
        np.zeros(shape, np.int64),
        np.zeros(shape),
    )
    _fill(hulls, right_VGL)
    return hulls


@bare()
def _fill(hulls, right_VGL):
    versions, groups, levels = right_VGL.shape
    for v in range(versions):
        for g in range(groups):
            corner, level = 0, SKIP
            while True:
                bits, right = hulls.bits_VGH[v, g, corner], hulls.right_VGH[v, g, corner]
                best, steepest = SKIP, 0.0
                for k in range(level + 1, levels):
                    if hulls.bits_VGL[v, g, k] > bits and right_VGL[v, g, k] > right:
                        slope = (right_VGL[v, g, k] - right) / (hulls.bits_VGL[v, g, k] - bits)
                        if slope >= steepest:
                            best, steepest = k, slope
                if best == SKIP:
                    break
                corner, level = corner + 1, best
                hulls.level_VGH[v, g, corner] = level
                hulls.bits_VGH[v, g, corner] = hulls.bits_VGL[v, g, level]
                hulls.right_VGH[v, g, corner] = right_VGL[v, g, level]
            hulls.corners_VG[v, g] = corner + 1


@inlined()
def level_within(hulls, version, group, plan_millibits, in_hand_millibits):
    """The level of a frame, SKIP for none, of a camera that may spend `plan_millibits` a frame in the mean.

    The highest corner of the hull within its plan, or the next one if what it has in hand pays for that; none
    while it owes.
    """
    corner = 0
    while corner + 1 < hulls.corners_VG[version, group]:
        next_millibits = MILLI * hulls.bits_VGH[version, group, corner + 1]
        within_plan = next_millibits <= plan_millibits
        if in_hand_millibits < (0 if within_plan else next_millibits):
            break
        corner += 1
        if not within_plan:
            break
    return hulls.level_VGH[version, group, corner]
