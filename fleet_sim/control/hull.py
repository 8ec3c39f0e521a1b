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
def level_within(hulls, version, group, plan_bits, saved_bits):
    """(level of a camera's frame, what it has then saved), so that `plan_bits` a frame are spent in the mean.

    The level is SKIP for none. A camera gives the frame the upper of two levels as soon as what it saved by
    lower ones pays for it, so it is never further behind its plan than one step of the hull.
    """
    corner = 0
    while (
        corner + 1 < hulls.corners_VG[version, group]
        and hulls.bits_VGH[version, group, corner + 1] <= plan_bits
    ):
        corner += 1
    bits = hulls.bits_VGH[version, group, corner]
    if corner + 1 == hulls.corners_VG[version, group]:
        return hulls.level_VGH[version, group, corner], np.int64(0)
    step_bits = hulls.bits_VGH[version, group, corner + 1] - bits
    saved_bits = min(saved_bits, step_bits) + max(plan_bits - bits, 0)
    if saved_bits >= step_bits:
        return hulls.level_VGH[version, group, corner + 1], saved_bits - step_bits
    return hulls.level_VGH[version, group, corner], saved_bits
