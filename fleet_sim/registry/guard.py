"""Whether a release that a part of the fleet has may go on, must go back, or waits for more evidence.

Two bets run from the first label to the last: one against "it is no worse than what it replaces", one against
"it is worse by `harm` or more". The first that is won decides. A release that is no worse is taken back with
probability `alpha` at most; one that is worse by `harm` is let on with probability `beta` at most, and after
that it can still be taken back.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from fleet_sim.registry.evidence import Evidence, Labels


class Verdict(IntEnum):
    """What is known of a release."""

    HOLD = 0
    GO_ON = 1
    GO_BACK = 2


@dataclass(frozen=True)
class GuardRule:
    """`harm`: the loss in share of right answers that must not get out."""

    harm: float = 0.03
    alpha: float = 0.05
    beta: float = 0.05


class Guard:
    """The verdicts on R releases, from labels of canary cameras and of control cameras.

    Labels may be few and late, as long as whether an answer gets one does not depend on its being right. In
    place of "right" any yes-or-no quantity may stand that sinks when a release is bad.
    """

    def __init__(self, releases: int, rule: GuardRule):
        self._rule = rule
        self._no_worse = Evidence(releases, "at least", margin=0, aim=rule.harm)
        self._harmful = Evidence(releases, "at most", margin=rule.harm, aim=0)
        self.verdict_R = np.zeros(releases, np.int64)

    def step(self, canary: Labels, control: Labels) -> NDArray[np.int64]:
        """The verdicts after these labels; GO_BACK is final."""
        self._no_worse.step(canary, control)
        self._harmful.step(canary, control)
        hold_R = self.verdict_R == Verdict.HOLD
        self.verdict_R[hold_R & self._harmful.refutes(self._rule.beta)] = Verdict.GO_ON
        self.verdict_R[self._no_worse.refutes(self._rule.alpha)] = Verdict.GO_BACK
        return self.verdict_R
