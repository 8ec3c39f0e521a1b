"""A check: what was measured, what theory says, and how far apart chance may bring them."""

from dataclasses import dataclass

import numpy as np

DEVIATIONS = 4  # of a normal distribution: chance alone fails a sound model once in 16,000 checks


@dataclass(frozen=True)
class Check:
    """One figure of one link model. It holds if what was measured lies within the interval."""

    model: str
    quantity: str
    measured: float
    expected: float
    low: float
    high: float
    n: int  # messages or packets behind the figure

    @property
    def holds(self) -> bool:
        """Whether the model does what theory says."""
        return self.low <= self.measured <= self.high


def by_chance(model: str, quantity: str, value_I: np.ndarray, expected: float, n: int) -> Check:
    """A mean over I independent repetitions, within DEVIATIONS standard errors of what is expected."""
    error = float(value_I.std(ddof=1)) / len(value_I) ** 0.5 * DEVIATIONS
    return Check(model, quantity, float(value_I.mean()), expected, expected - error, expected + error, n)


def exactly(model: str, quantity: str, measured: float, expected: float, n: int) -> Check:
    """A figure that chance has no part in."""
    return Check(model, quantity, measured, expected, expected, expected, n)


def within(
    model: str, quantity: str, measured: float, expected: float, low: float, high: float, n: int
) -> Check:
    """A figure with bounds that theory gives."""
    return Check(model, quantity, measured, expected, low, high, n)
