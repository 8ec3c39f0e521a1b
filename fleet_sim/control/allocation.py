"""What a cell's base station lets each of its cameras plan with, group by group.

A camera takes frames at its own rate, needs its own time on air for a bit, and has a hull of accuracy against
bits (control.hull). The cell has `air_bps` to give, in bits a second at the cell's own rate.

- Max-min: all get the same bits a second, but nobody more than its top level takes; what such cameras leave
  goes to the others (D. Bertsekas, R. Gallager, Data Networks, 1992, section 6.5.2).
- Marginal: everybody gets its floor; what is left goes step by step to where a bit on air gains most right
  answers, weighted by importance. On concave hulls that is optimal (H. Everett, "Generalized Lagrange
  multiplier method", 1963).

Floats, but of one cell only, and what cameras are told is whole.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled

EQUAL, MAX_MIN, MARGINAL = range(3)
ALLOCATIONS = {"equal": EQUAL, "max_min": MAX_MIN, "marginal": MARGINAL}
MICRO = 1_000_000


class Sharers(NamedTuple):
    """The G groups of cameras of one cell."""

    cameras_G: np.ndarray  # int64
    frame_period_us_G: np.ndarray  # int64
    importance_G: np.ndarray  # int64
    air_G: np.ndarray  # float64, bits on air at the cell's own rate for each bit that is expected


@compiled()
def allocate(kind, hulls, version, sharers, air_bps, floor, plan_bits_G):
    """Fill in the bits that each camera of a group may plan with for a frame.

    floor: share of an equal part of `air_bps` that every camera gets at least under MARGINAL, as far as it
    has use for it.
    """
    groups = sharers.cameras_G.shape[0]
    bits_G, cameras = np.zeros(groups), sharers.cameras_G.sum()
    if kind == MAX_MIN:
        _share_alike(hulls, version, sharers, air_bps, bits_G)
    else:
        left_bps = air_bps
        for g in range(groups):
            a_bit_bps = sharers.air_G[g] * MICRO / sharers.frame_period_us_G[g]
            top_bits = hulls.bits_VGH[version, g, hulls.corners_VG[version, g] - 1]
            bits_G[g] = min(floor * air_bps / (max(cameras, 1) * a_bit_bps), top_bits)
            left_bps -= sharers.cameras_G[g] * a_bit_bps * bits_G[g]
        _give_where_most_is_gained(hulls, version, sharers, left_bps, bits_G)
    for g in range(groups):
        plan_bits_G[g] = np.int64(bits_G[g])


@compiled()
def _share_alike(hulls, version, sharers, air_bps, bits_G):
    groups = bits_G.shape[0]
    wanted_bps_G = np.empty(groups)
    for g in range(groups):
        top_bits = hulls.bits_VGH[version, g, hulls.corners_VG[version, g] - 1]
        wanted_bps_G[g] = top_bits * MICRO / sharers.frame_period_us_G[g]
    left_bps, still = air_bps, (sharers.cameras_G * sharers.air_G).sum()
    for g in np.argsort(wanted_bps_G, kind="mergesort"):
        weight = sharers.cameras_G[g] * sharers.air_G[g]
        given_bps = min(wanted_bps_G[g], left_bps / still) if weight > 0 else wanted_bps_G[g]
        bits_G[g] = given_bps * sharers.frame_period_us_G[g] / MICRO
        left_bps -= weight * given_bps
        still -= weight


@compiled()
def _give_where_most_is_gained(hulls, version, sharers, left_bps, bits_G):
    groups = bits_G.shape[0]
    corner_G = np.zeros(groups, np.int64)
    for g in range(groups):
        while (
            corner_G[g] + 1 < hulls.corners_VG[version, g]
            and hulls.bits_VGH[version, g, corner_G[g] + 1] <= bits_G[g]
        ):
            corner_G[g] += 1
    while left_bps > 0:
        best, most = -1, 0.0
        for g in range(groups):
            corner = corner_G[g]
            if sharers.cameras_G[g] == 0 or corner + 1 == hulls.corners_VG[version, g]:
                continue
            gain = hulls.right_VGH[version, g, corner + 1] - hulls.right_VGH[version, g, corner]
            bits = hulls.bits_VGH[version, g, corner + 1] - hulls.bits_VGH[version, g, corner]
            slope = sharers.importance_G[g] * gain / (bits * sharers.air_G[g])
            if slope > most:
                best, most = g, slope
        if best < 0:
            break
        a_bit_bps = sharers.cameras_G[best] * sharers.air_G[best] * MICRO / sharers.frame_period_us_G[best]
        corner_G[best] += 1
        more_bits = hulls.bits_VGH[version, best, corner_G[best]] - bits_G[best]
        bits_G[best] += min(more_bits, left_bps / a_bit_bps)
        left_bps -= more_bits * a_bit_bps
