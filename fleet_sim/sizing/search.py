"""The last value that keeps a target on a steadily changing figure, from few simulations.

For the first seed the value is doubled or halved until the crossing lies between two, then found by Brent's
method (Brent, "Algorithms for Minimization without Derivatives", 1973, chapter 4) on the value's logarithm.
Other seeds begin close to that. The spread of the seeds' crossings gives the interval.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.optimize import brentq

from fleet_sim.basics.statistics import half_width, mean

REACH = 64  # times the value to start from, and its part, beyond which nothing is tried
TOLERANCE = 0.01  # relative, of a seed's crossing
NEAR = 1.05  # other seeds begin this much to each side of the first one's crossing

Margin = Callable[[int, int], float]
"""(value, place of the seed) -> how far the target is kept; below 0 it is missed."""


@dataclass(frozen=True)
class Crossing:
    """Where the target is just met, with its 95 % interval; `simulations` were needed.

    The interval is that of Student's t over the seeds' crossings, on a logarithmic scale, and at least as
    wide as what a seed's own crossing is known to.
    """

    value: int
    low: int
    high: int
    by_seed: list[int]
    simulations: int


@dataclass(frozen=True)
class NoCrossing:
    """The target is kept, or missed, at every value tried: from `low` to `high`."""

    kept: bool
    low: int
    high: int


def crossing(
    margin: Margin, start: int, lowest: int, highest: int, seeds: int, larger_is_better: bool
) -> Crossing | NoCrossing:
    """The smallest value that keeps the target, or, where larger values are worse, the largest.

    `margin` must change steadily in the value, up to noise; each (value, seed) is asked once.
    """
    known: dict[tuple[int, int], float] = {}
    low, high = max(lowest, start // REACH), min(highest, start * REACH)

    def kept(log_value: float, seed: int) -> float:
        value = min(high, max(low, round(math.exp(log_value))))
        if (value, seed) not in known:
            known[value, seed] = margin(value, seed)
        found = known[value, seed]
        return found if larger_is_better else -found

    crossings: list[float] = []
    for seed in range(seeds):
        centre, factor = (math.log(start), 2.0) if not crossings else (crossings[0], NEAR)
        bracket = _bracket(lambda at, seed=seed: kept(at, seed), centre, factor, low, high)  # type: ignore[misc]
        if isinstance(bracket, bool):
            return NoCrossing(bracket == larger_is_better, low, high)
        brentq(kept, *bracket, args=(seed,), xtol=TOLERANCE / 2, rtol=1e-9)
        keeping = [value for (value, of), found in known.items() if of == seed and found >= 0]
        crossings.append(math.log(min(keeping) if larger_is_better else max(keeping)))
    centre = mean(crossings)
    spread = max(half_width(crossings) or 0.0, TOLERANCE)
    inner = math.ceil if larger_is_better else math.floor
    return Crossing(
        value=inner(math.exp(centre)),
        low=math.floor(math.exp(centre - spread)),
        high=math.ceil(math.exp(centre + spread)),
        by_seed=[round(math.exp(one)) for one in crossings],
        simulations=len(known),
    )


def _bracket(
    rising: Callable[[float], float], centre: float, factor: float, low: int, high: int
) -> tuple[float, float] | bool:
    """Two logarithms between which `rising` passes 0; else whether it is above 0 everywhere."""
    least, most, step = math.log(low), math.log(high), math.log(factor)
    below = above = min(most, max(least, centre))
    while rising(below) >= 0:
        if below == least:
            return True
        above, below = below, max(least, below - step)
    while rising(above) < 0:
        if above == most:
            return False
        below, above = above, min(most, above + step)
    return below, above
