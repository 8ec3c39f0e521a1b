"""What a cell's base station lets each of its cameras plan with, kind by kind.

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

from fleet_sim.basics.compiled import compiled, inlined

EQUAL, MAX_MIN, MARGINAL = range(3)
ALLOCATIONS = {"equal": EQUAL, "max_min": MAX_MIN, "marginal": MARGINAL}
MICRO = 1_000_000


class Sharers(NamedTuple):
    """The S kinds of cameras of one cell: those of one kind are of one group and have one version."""

    cameras_S: np.ndarray  # int64
    frame_period_us_S: np.ndarray  # int64
    importance_S: np.ndarray  # int64
    air_S: np.ndarray  # float64, bits on air at the cell's own rate for each bit that is expected
    corners_S: np.ndarray  # int64: how many corners its hull has, H at most, and ...
    bits_SH: np.ndarray  # int64: ... what is expected of these, see control.hull
    right_SH: np.ndarray  # float64


@compiled()
def allocate(kind, sharers, air_bps, floor, bits_S):
    """Fill in the expected bits that each camera of a kind may spend on a frame in the mean, float64.

    floor: share of an equal part of `air_bps` that every camera gets at least under MARGINAL, as far as it
    has use for it.
    """
    if kind == MAX_MIN:
        _share_alike(sharers, air_bps, bits_S)
        return
    left_bps, cameras = air_bps, sharers.cameras_S.sum()
    for s in range(bits_S.shape[0]):
        a_bit_bps = sharers.air_S[s] * MICRO / sharers.frame_period_us_S[s]
        bits_S[s] = min(floor * air_bps / (max(cameras, 1) * a_bit_bps), _top_bits(sharers, s))
        left_bps -= sharers.cameras_S[s] * a_bit_bps * bits_S[s]
    _give_where_most_is_gained(sharers, left_bps, bits_S)


@inlined()
def _top_bits(sharers, s):
    return sharers.bits_SH[s, sharers.corners_S[s] - 1]


@compiled()
def _share_alike(sharers, air_bps, bits_S):
    wanted_bps_S = np.empty(bits_S.shape[0])
    for s in range(bits_S.shape[0]):
        wanted_bps_S[s] = _top_bits(sharers, s) * MICRO / sharers.frame_period_us_S[s]
    left_bps, still = air_bps, (sharers.cameras_S * sharers.air_S).sum()
    for s in np.argsort(wanted_bps_S, kind="mergesort"):
        weight = sharers.cameras_S[s] * sharers.air_S[s]
        given_bps = min(wanted_bps_S[s], left_bps / still) if weight > 0 else wanted_bps_S[s]
        bits_S[s] = given_bps * sharers.frame_period_us_S[s] / MICRO
        left_bps -= weight * given_bps
        still -= weight


@compiled()
def _give_where_most_is_gained(sharers, left_bps, bits_S):
    bits_SH, right_SH = sharers.bits_SH, sharers.right_SH
    corner_S = np.zeros(bits_S.shape[0], np.int64)
    for s in range(bits_S.shape[0]):
        while corner_S[s] + 1 < sharers.corners_S[s] and bits_SH[s, corner_S[s] + 1] <= bits_S[s]:
            corner_S[s] += 1
    while left_bps > 0:
        best, most = -1, 0.0
        for s in range(bits_S.shape[0]):
            corner = corner_S[s]
            if sharers.cameras_S[s] == 0 or corner + 1 == sharers.corners_S[s]:
                continue
            gain = right_SH[s, corner + 1] - right_SH[s, corner]
            bits = bits_SH[s, corner + 1] - bits_SH[s, corner]
            slope = sharers.importance_S[s] * gain / (bits * sharers.air_S[s])
            if slope > most:
                best, most = s, slope
        if best < 0:
            break
        a_bit_bps = sharers.cameras_S[best] * sharers.air_S[best] * MICRO / sharers.frame_period_us_S[best]
        corner_S[best] += 1
        more_bits = bits_SH[best, corner_S[best]] - bits_S[best]
        bits_S[best] += min(more_bits, left_bps / a_bit_bps)
        left_bps -= more_bits * a_bit_bps
