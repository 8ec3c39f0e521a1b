"""How strongly labels that come in bit by bit speak against a statement about two groups of cameras.

A bet is kept against the statement; however often one looks, its capital exceeds 1 / alpha with probability
alpha at most if the statement is true (Ville 1939). Each step multiplies it by p*(y) / p0(y), the likelihood
of the step's labels under a guess p* made before they came, over that under the statement's point nearest to
the guess in relative entropy (Turner, Ly and Gruenwald 2021; Turner and Gruenwald 2022). Why that is fair:
with n_i labels of group i, of which each is right with probability t_i, the factor's mean is the product of
(1 + (t_i - p0_i)(p*_i - p0_i) / (p0_i (1 - p0_i)))^n_i, at most exp of the sum of n_i times these fractions;
and that sum is at most 0 for every t of a convex statement, since p0 is its nearest point. No approximation
is made, and the size of a step may depend on anything but its labels.

Shapes: R releases side by side.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]
Numbers = NDArray[np.int64]

EDGE = 1e-3  # guesses keep so far from 0 and 1, where one label would decide
_HALVINGS = 40


@dataclass(frozen=True)
class Labels:
    """What one step brings: labels of the answers of a group, and how many of these answers were right."""

    total_R: Numbers
    right_R: Numbers


class Evidence:
    """Against "the canary is right at least as often as the control, less `margin`", or "at most".

    The guess for the control is its mean so far; for the canary it lies `aim` below that (above, if
    negative), on the other side of `margin`. A step brings labels of both; one without labels of the canary
    says nothing.
    """

    def __init__(self, releases: int, statement: Literal["at least", "at most"], margin: float, aim: float):
        if (aim <= margin) if statement == "at least" else (aim >= margin):
            raise ValueError(f"against '{statement} the control less {margin}', {aim} below it is no guess")
        self._margin, self._aim = margin, aim
        self._total_R = np.zeros(releases, np.int64)  # of the control
        self._right_R = np.zeros(releases, np.int64)
        self.log_capital_R = np.zeros(releases)

    def step(self, canary: Labels, control: Labels) -> None:
        """Take the labels of one step into account."""
        mean_R = (self._right_R + 0.5) / (self._total_R + 1)
        # So far from 0 and 1 that the canary's guess, and the nearest point for both, are shares too.
        low, high = max(self._aim, self._margin, 0), max(self._margin - self._aim, -self._aim, 0)
        guess_R = np.clip(mean_R, EDGE + low, 1 - EDGE - high)
        canary_guess_R = guess_R - self._aim
        nearest_R = _nearest(canary_guess_R, guess_R, canary.total_R, control.total_R, self._margin)
        self.log_capital_R += log_ratio(canary, canary_guess_R, nearest_R - self._margin)
        self.log_capital_R += log_ratio(control, guess_R, nearest_R)
        self._total_R += control.total_R
        self._right_R += control.right_R

    def refutes(self, alpha: float) -> NDArray[np.bool_]:
        """Which releases' statement is refuted now; a true one ever is with probability `alpha` at most."""
        refuted_R: NDArray[np.bool_] = self.log_capital_R >= np.log(1 / alpha)
        return refuted_R


def _nearest(
    canary_R: Shares, control_R: Shares, canary_n_R: Numbers, control_n_R: Numbers, margin: float
) -> Shares:
    """The control's share at that point of canary = control - margin with the least relative entropy."""
    low_R = np.minimum(control_R, canary_R + margin)
    high_R = np.maximum(control_R, canary_R + margin)
    for _ in range(_HALVINGS):
        middle_R = (low_R + high_R) / 2
        other_R = middle_R - margin
        slope_R = canary_n_R * (other_R - canary_R) / (other_R * (1 - other_R))
        slope_R = slope_R + control_n_R * (middle_R - control_R) / (middle_R * (1 - middle_R))
        low_R, high_R = np.where(slope_R < 0, middle_R, low_R), np.where(slope_R < 0, high_R, middle_R)
    nearest_R: Shares = (low_R + high_R) / 2
    return nearest_R


def log_ratio(labels: Labels, guess_R: Shares, stated_R: Shares) -> Shares:
    """Log likelihood of a group's labels under a guess, over that under a statement's point."""
    wrong_R = labels.total_R - labels.right_R
    right, wrong = np.log(guess_R / stated_R), np.log((1 - guess_R) / (1 - stated_R))
    ratio_R: Shares = right * labels.right_R + wrong * wrong_R
    return ratio_R
