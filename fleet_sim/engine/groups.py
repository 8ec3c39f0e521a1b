"""Groups of cameras that differ: which group a camera is of, and what its group has."""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled, inlined

# Fractional parts of the golden ratio and of the square root of two, in 2**32nds: multiples of an irrational
# number fill the circle evenly (Kuipers and Niederreiter, Uniform Distribution of Sequences, 1974), so every
# cell has nearly its share of each group.
_GOLDEN = 0x9E3779B9
_ROOT = 0x6A09E667
WHOLE = 1 << 32
FULL_PPM = 1_000_000


class Groups(NamedTuple):
    """G groups; none where all cameras are alike."""

    upto_G: np.ndarray  # (G,) int64 rising: shares added up, in 2**32nds; the last is WHOLE
    frame_period_us_G: np.ndarray  # (G,) int64
    importance_G: np.ndarray  # (G,) int64
    rate_ppm_G: np.ndarray  # (G,) int64, of the rate of the cell


def groups_of(
    shares: tuple[float, ...],
    frame_period_us: tuple[int, ...],
    importance: tuple[int, ...],
    rate_ppm: tuple[int, ...] = (),
) -> Groups:
    """Groups from their shares, which add up to 1; all at the rate of the cell where no rates are given."""
    upto_G = np.rint(np.cumsum(shares) * WHOLE).astype(np.int64)
    upto_G[-1] = WHOLE
    return Groups(
        upto_G,
        np.array(frame_period_us, np.int64),
        np.array(importance, np.int64),
        np.array(rate_ppm or [FULL_PPM] * len(shares), np.int64),
    )


ALIKE = Groups(*(np.zeros(0, np.int64) for _ in range(4)))


@inlined()
def group_of(fleet, camera):
    """The group of a camera."""
    group = 0
    if fleet.groups.upto_G.shape[0] > 1:
        turn = np.int64(camera) // fleet.cells * _GOLDEN + np.int64(camera) % fleet.cells * _ROOT
        while group + 1 < fleet.groups.upto_G.shape[0] and turn % WHOLE >= fleet.groups.upto_G[group]:
            group += 1
    return group


@compiled()
def groups_of_cameras(fleet, camera_R):
    """The group of each camera."""
    group_R = np.empty(camera_R.shape[0], np.int64)
    for row in range(camera_R.shape[0]):
        group_R[row] = group_of(fleet, camera_R[row])
    return group_R


@inlined()
def frame_period_of(fleet, camera):
    """Microseconds between a camera's frames."""
    if fleet.groups.upto_G.shape[0] == 0:
        return fleet.frame_period_us
    return fleet.groups.frame_period_us_G[group_of(fleet, camera)]


@inlined()
def part_of(fleet, group, plan_bits):
    """Bits for a frame of a group, where equal times on air are `plan_bits` in fleet.frame_period_us."""
    if fleet.groups.upto_G.shape[0] == 0:
        return plan_bits
    plan_bits = plan_bits * fleet.groups.frame_period_us_G[group] // fleet.frame_period_us
    return plan_bits * fleet.groups.rate_ppm_G[group] // FULL_PPM
