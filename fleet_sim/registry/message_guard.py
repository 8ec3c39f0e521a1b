"""Whether a released encoder's messages depart from what was stated of it, and further than those before do.

Of a message Q yes-or-no quantities are known, each with a share of yes that was measured before the release,
for the released encoder and for the one before. A quantity departs where its share sinks in the field below
what was stated of the released encoder, and by more than the other encoder's share sinks below what was
stated of that: weather that moves both alike is no departure, nor is one that moves the old encoder further.
A release of which no quantity departs is taken back with probability `alpha` at most, to which each quantity
adds `alpha` / Q; one of which a quantity departs by `harm` or more is let on with probability `beta` at most.

Groups are in the order of `registry.contrast.SIGNS`: field and stated of the released encoder, then of the
one before. Shapes: R releases side by side.
"""

import numpy as np
from numpy.typing import NDArray

from fleet_sim.registry.contrast import Contrast
from fleet_sim.registry.evidence import Evidence, Labels
from fleet_sim.registry.guard import GuardRule, Verdict


class MessageGuard:
    """The verdicts on R releases, by Q quantities of their messages.

    That it departs is the denial of "as stated, or no further than the one before": to refute an "or", each
    of its two halves has to be refuted, and for that neither needs a smaller error than the whole.
    """

    def __init__(self, releases: int, quantities: int, rule: GuardRule):
        self._rule, self._shape_RQ, bets = rule, (releases, quantities), releases * quantities
        self._as_stated = Evidence(bets, "at least", margin=0, aim=rule.harm)
        self._as_before = Contrast(bets, "at least", margin=0, aim=rule.harm)
        self._harmful = Contrast(bets, "at most", margin=rule.harm, aim=0)
        self.verdict_R = np.zeros(releases, np.int64)

    def step(self, total_GRQ: NDArray[np.int64], yes_GRQ: NDArray[np.int64]) -> NDArray[np.int64]:
        """The verdicts after these messages, and how many of them say yes; GO_BACK is final."""
        bets = [
            Labels(total_RQ.ravel(), yes_RQ.ravel())
            for total_RQ, yes_RQ in zip(total_GRQ, yes_GRQ, strict=True)
        ]
        field, stated, *_ = bets
        self._as_stated.step(field, stated)
        self._as_before.step(bets)
        self._harmful.step(bets)
        alpha, shape_RQ = self._rule.alpha / self._shape_RQ[1], self._shape_RQ
        departs_RQ = (self._as_stated.refutes(alpha) & self._as_before.refutes(alpha)).reshape(shape_RQ)
        harmless_RQ = self._harmful.refutes(self._rule.beta).reshape(shape_RQ)
        hold_R = self.verdict_R == Verdict.HOLD
        self.verdict_R[hold_R & harmless_RQ.all(axis=1)] = Verdict.GO_ON
        self.verdict_R[departs_RQ.any(axis=1)] = Verdict.GO_BACK
        return self.verdict_R
