"""Bjontegaard's delta rate: how many bits fewer one curve needs than another, at equal accuracy."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

Curve = Sequence[tuple[float, float]]
"""(bits, accuracy) of each point, in any order."""


def bd_rate(anchor: Curve, test: Curve) -> float | None:
    """Mean difference in bits of `test` against `anchor` in per cent, over the accuracies that both reach.

    The mean is that of log bits, interpolated over accuracy by monotone piecewise cubics (Bjontegaard 2001,
    VCEG-M33; piecewise as in the JCT-VC common test conditions, JCTVC-L1100). Negative: `test` needs fewer. A
    point that has no more accuracy than one with fewer bits is left out: nobody would choose it. None where
    the curves share no range of accuracy.
    """
    curves = [_without_worse(curve) for curve in (anchor, test)]
    low = max(accuracy_P[0] for _, accuracy_P in curves)
    high = min(accuracy_P[-1] for _, accuracy_P in curves)
    if low >= high:
        return None
    anchor_mean, test_mean = (
        PchipInterpolator(accuracy_P, np.log(bits_P)).integrate(low, high) / (high - low)
        for bits_P, accuracy_P in curves
    )
    return 100 * float(np.expm1(test_mean - anchor_mean))


def _without_worse(curve: Curve) -> tuple[list[float], list[float]]:
    """Bits and accuracies, both strictly rising."""
    kept: list[tuple[float, float]] = []
    for bits, accuracy in sorted(curve, key=lambda point: (point[0], -point[1])):
        if not kept or (accuracy > kept[-1][1] and bits > kept[-1][0]):
            kept.append((bits, accuracy))
    return [bits for bits, _ in kept], [accuracy for _, accuracy in kept]
