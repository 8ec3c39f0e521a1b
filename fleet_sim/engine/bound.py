"""The best that the cameras of a cell could have done together, had they known all that they take.

The oracle of a cell knows every frame that will come, its size at every level, and what it is worth there:
how likely it is answered right. It knows nothing of deadlines and turns: it may spend all that the link can
carry in the run on any frames. Equal slopes on the concave hulls of all frames' worth against bits are then
optimal (Y. Shoham, A. Gersho, "Efficient bit allocation for an arbitrary set of quantizers", 1988; H. Everett
1963), and with the last step taken in part no choice of whole levels is worth more: a bound on every
controller and every allocation of the cell.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.control.observation import SKIP


class CellPlan(NamedTuple):
    """What the oracle of a cell does."""

    level_F: np.ndarray  # of each frame, SKIP where it is not sent: what fits whole
    worth: float  # of all frames together, the last step in part: the bound


def best_in_cell(capacity_bits: int, bits_FL: np.ndarray, worth_FL: np.ndarray) -> CellPlan:
    """The oracle's plan for F frames of one cell that carries so many bits at most.

    bits_FL: on air, at the cell's own rate, with all headers; worth_FL: whole, as is their sum.
    """
    frame_S, level_S, bits_S, worth_S = _steps(bits_FL, worth_FL)
    order_S = np.argsort(-worth_S / bits_S, kind="stable")
    spent_S = np.cumsum(bits_S[order_S])
    whole = int(np.searchsorted(spent_S, capacity_bits, side="right"))
    level_F = np.full(len(bits_FL), SKIP, np.int64)
    level_F[frame_S[order_S[:whole]]] = level_S[order_S[:whole]]
    worth = float(worth_S[order_S[:whole]].sum())
    if whole < len(order_S):
        last, left_bits = order_S[whole], capacity_bits - (int(spent_S[whole - 1]) if whole else 0)
        worth += left_bits / int(bits_S[last]) * int(worth_S[last])
    return CellPlan(level_F, worth)


@compiled()
def _steps(bits_FL, worth_FL):
    """(frame, level, further bits, further worth) of every step up on the hulls of all frames."""
    most = bits_FL.shape[0] * bits_FL.shape[1]
    frame_S, level_S = np.empty(most, np.int64), np.empty(most, np.int64)
    bits_S, worth_S = np.empty(most, np.int64), np.empty(most, np.int64)
    count = 0
    for frame in range(bits_FL.shape[0]):
        bits, worth = np.int64(0), np.int64(0)
        while True:
            best, steepest = SKIP, 0.0
            for k in range(bits_FL.shape[1]):
                if worth_FL[frame, k] > worth and bits_FL[frame, k] > bits:
                    slope = (worth_FL[frame, k] - worth) / (bits_FL[frame, k] - bits)
                    if slope >= steepest:
                        best, steepest = k, slope
            if best == SKIP:
                break
            frame_S[count], level_S[count] = frame, best
            bits_S[count] = bits_FL[frame, best] - bits
            worth_S[count] = worth_FL[frame, best] - worth
            count += 1
            bits, worth = bits_FL[frame, best], worth_FL[frame, best]
    return frame_S[:count], level_S[:count], bits_S[:count], worth_S[:count]
