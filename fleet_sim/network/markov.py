"""Markov chains in exact fractions: what a link's capacity is made of."""

from collections.abc import Sequence
from fractions import Fraction

from fleet_sim.network.link import CERTAIN

Rows = list[list[Fraction]]


def rows_of_dwelling(dwell_us: Sequence[int], slot_us: int) -> Rows:
    """Transitions of a chain that stays in each state for this time on average, then goes to any other.

    Row s: exact probabilities of the state a slot after s. Two states or more, none shorter than a slot.
    """
    others = len(dwell_us) - 1
    leave_S = [Fraction(slot_us, mean_us) for mean_us in dwell_us]
    return [
        [1 - leave if other == state else leave / others for other in range(len(leave_S))]
        for state, leave in enumerate(leave_S)
    ]


def exact_rows(rows: Sequence[Sequence[float]]) -> Rows:
    """The same rows as fractions that sum to 1."""
    return [[Fraction(p) / sum(map(Fraction, row)) for p in row] for row in rows]


def stationary(rows: Rows) -> list[Fraction]:
    """Shares of the time that a chain spends in its states.

    By censoring one state after the other (W. K. Grassmann, M. I. Taksar, D. P. Heyman, "Regenerative
    analysis and steady state distributions for Markov chains", Operations Research 33, 1985). Raises
    ValueError where some state never leads back to one before it.
    """
    censored = [list(row) for row in rows]
    for last in range(len(rows) - 1, 0, -1):
        back = sum(censored[last][:last])
        if back == 0:
            raise ValueError(f"state {last} never leads back to a state before it")
        for state in range(last):
            through = censored[state][last] / back
            for other in range(last):
                censored[state][other] += through * censored[last][other]
            censored[state][last] = through
    shares = [Fraction(1)]
    for last in range(1, len(rows)):
        shares.append(sum((share * censored[state][last] for state, share in enumerate(shares)), Fraction(0)))
    return [share / sum(shares) for share in shares]


def cumulative_thresholds(probabilities: list[Fraction]) -> list[int]:
    """For each state the 32-bit threshold below which a draw means it or one before; the last is certain."""
    sums = [sum(probabilities[: n + 1]) for n in range(len(probabilities))]
    return [*(round(total * CERTAIN) for total in sums[:-1]), CERTAIN]
