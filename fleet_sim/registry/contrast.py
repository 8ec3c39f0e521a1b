"""How strongly yes-or-no observations of four groups speak against a statement about their differences.

The statement: the canary's share differs from its own reference's by no less than the control's does from its
own, less `margin` ("at least"), or by no more than that ("at most"). So what moves canary and control alike
is no evidence. The bet is that of `registry.evidence`, which holds for any number of groups: each step is
multiplied by its likelihood under a guess made before, over that under the statement's nearest point in
relative entropy. With p*_i the guess and n_i the step's observations of group i, the nearest point on
sum s_i p_i = -margin solves n_i (p_i - p*_i) = x s_i p_i (1 - p_i) for one x, the multiplier, in which the
sum rises.

Shapes: R contrasts side by side, each of groups in the order of `SIGNS`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from fleet_sim.registry.evidence import EDGE, Labels, Numbers, Shares, log_ratio

SIGNS = (1, -1, -1, 1)  # canary, its reference, control, its reference
_FARTHEST = 1000.0  # multipliers, in observations; shares are within a thousandth of 0 or 1 long before
_HALVINGS = 48


class Contrast:
    """Against "at least" or "at most", as above.

    The guesses are that the others have their means so far, and the canary `aim` less than follows from them.
    A step in which a group says nothing is no evidence.
    """

    def __init__(self, contrasts: int, statement: Literal["at least", "at most"], margin: float, aim: float):
        if (aim <= margin) if statement == "at least" else (aim >= margin):
            raise ValueError(f"against '{statement}, less {margin}', {aim} less is no guess")
        self._statement, self._margin, self._aim = statement, margin, aim
        self._total_GR = np.zeros((len(SIGNS), contrasts), np.int64)
        self._yes_GR = np.zeros((len(SIGNS), contrasts), np.int64)
        self.log_capital_R = np.zeros(contrasts)

    def step(self, groups: Sequence[Labels]) -> None:
        """Take the observations of one step into account, of groups in the order of `SIGNS`."""
        total_GR, yes_GR = (np.stack(of_groups) for of_groups in zip(*map(_numbers, groups), strict=True))
        guess_GR = (self._yes_GR + 0.5) / (self._total_GR + 1)
        guess_GR[0] = guess_GR[1] + guess_GR[2] - guess_GR[3] - self._aim
        guess_GR = guess_GR.clip(EDGE, 1 - EDGE)
        stated_GR = np.where(self._denied(guess_GR), _nearest(guess_GR, total_GR, self._margin), guess_GR)
        ratios = [log_ratio(*of_group) for of_group in zip(groups, guess_GR, stated_GR, strict=True)]
        self.log_capital_R += np.where((total_GR > 0).all(axis=0), sum(ratios), 0)
        self._total_GR += total_GR
        self._yes_GR += yes_GR

    def refutes(self, alpha: float) -> np.ndarray:
        """Which are refuted now, (R,) bool; a true statement ever is with a chance of `alpha` at most."""
        refuted_R: np.ndarray = self.log_capital_R >= np.log(1 / alpha)
        return refuted_R

    def _denied(self, share_GR: Shares) -> np.ndarray:
        below_R = _contrast(share_GR) < -self._margin
        return below_R if self._statement == "at least" else ~below_R


def _numbers(labels: Labels) -> tuple[Numbers, Numbers]:
    return labels.total_R, labels.right_R


def _contrast(share_GR: Shares) -> Shares:
    contrast_R: Shares = np.array(SIGNS) @ share_GR
    return contrast_R


def _nearest(guess_GR: Shares, total_GR: Numbers, margin: float) -> Shares:
    """Of the shares whose contrast is -`margin` those with the least relative entropy to the guess."""
    n_GR = total_GR.clip(1)
    high_R = _FARTHEST * n_GR.max(axis=0)
    low_R = -high_R
    for _ in range(_HALVINGS):
        middle_R = (low_R + high_R) / 2
        over_R = _contrast(_moved(guess_GR, n_GR, middle_R)) > -margin
        low_R, high_R = np.where(over_R, low_R, middle_R), np.where(over_R, middle_R, high_R)
    return _moved(guess_GR, n_GR, (low_R + high_R) / 2)


def _moved(guess_GR: Shares, n_GR: Numbers, multiplier_R: Shares) -> Shares:
    """The root in (0, 1) of n (p - guess) = push p (1 - p), in that of its two forms that cancels nothing."""
    push_GR = np.array(SIGNS)[:, None] * multiplier_R
    rest_GR = n_GR - push_GR
    root_GR = np.sqrt(rest_GR**2 + 4 * push_GR * n_GR * guess_GR)
    push_or_one_GR = np.where(rest_GR < 0, push_GR, 1.0)
    root_or_n_GR = np.where(rest_GR < 0, n_GR, rest_GR + root_GR)
    moved_GR: Shares = np.where(
        rest_GR < 0, (root_GR - rest_GR) / (2 * push_or_one_GR), 2 * n_GR * guess_GR / root_or_n_GR
    )
    return moved_GR
