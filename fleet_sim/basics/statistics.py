"""Means of a few independent repeats, and how sure they are (Student, Biometrika 6, 1908)."""

import math
from collections.abc import Sequence

from scipy.special import stdtr, stdtrit

CONFIDENCE = 0.95


def mean(values: Sequence[float]) -> float:
    """The mean, summed exactly."""
    return math.fsum(values) / len(values)


def standard_error(values: Sequence[float]) -> float | None:
    """Of the mean of independent values; None for fewer than two."""
    if len(values) < 2:
        return None
    centre = mean(values)
    squares = math.fsum((value - centre) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1) / len(values))


def half_width(values: Sequence[float]) -> float | None:
    """Half the width of the 95 % interval of the mean (Student's t); None for fewer than two values.

    >>> round(half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    error = standard_error(values)
    return None if error is None else error * float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))


def p_value(difference: float, error: float, degrees: float) -> float:
    """Chance of a mean difference at least this large, either way, where there is none (Student's t test)."""
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * float(stdtr(degrees, -abs(difference) / error))


def holm(p_values: Sequence[float], level: float = 1 - CONFIDENCE) -> list[bool]:
    """Which of several hypotheses are rejected, with a true one among them in at most `level` of cases.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979.

    >>> holm([0.01, 0.04, 0.03])
    [True, False, False]
    """
    rejected = [False] * len(p_values)
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[index] > level / (len(p_values) - place):
            break
        rejected[index] = True
    return rejected
