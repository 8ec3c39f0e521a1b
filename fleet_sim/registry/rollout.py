"""One release on its way to the fleet: which share of the cameras it has, and whether it has to go back.

It is asked at boundaries and told what is known there; it does not know what kind of thing is released. A
wave lasts `wave_us` at least. The first, the canary, ends only when the guard lets it, or without a verdict
after as long again as all waves would take; from then on waves follow by the clock, and the guard may still
take the release back until all cameras have it.
"""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from fleet_sim.registry.evidence import Labels
from fleet_sim.registry.guard import Guard, GuardRule, Verdict
from fleet_sim.registry.message_guard import MessageGuard

EVERYONE_PPM = 1_000_000


class Change(IntEnum):
    """What happens to a release; of those after WAVE it has one at most, its last."""

    BEGUN = 0
    WAVE = 1
    THROUGH = 2
    BACK_WORSE = 3  # taken back by the guard
    BACK_FAILED = 4  # taken back since installs failed


@dataclass(frozen=True)
class Event:
    """A change, and the share of the cameras in a million that it leaves with the release.

    Of one that is taken back: the share that had it until then.
    """

    at_us: int
    change: Change
    share_ppm: int


@dataclass(frozen=True)
class RolloutRule:
    """`waves_ppm`: shares of the cameras in a million, rising to all; without a guard only the clock rules.

    `most_failed`: share of the cameras which were to have the release by now whose installs may fail.
    """

    waves_ppm: tuple[int, ...]
    wave_us: int
    guard: GuardRule | None = None
    most_failed: float = 1.0


@dataclass(frozen=True, eq=False)
class Heard:
    """What is known at a boundary of a release, all counted from its begin.

    Labels are those of cameras with the release, and of cameras still with what it replaces; without labels,
    scenes on which the release agrees with what it replaces, and validation images. Of an encoder's messages,
    without labels: `canary` counts their scenes, and `messages_GQ2` has what `MessageGuard` decides by.
    `reached`: all cameras of the wave have it, but those whose installs failed.
    """

    canary: int = 0
    canary_right: int = 0
    control: int = 0
    control_right: int = 0
    wanted: int = 0  # cameras that were to have it by now
    failed: int = 0  # those of them whose installs failed
    reached: bool = True
    messages_GQ2: np.ndarray = field(default_factory=lambda: np.zeros((4, 1, 2), np.int64))


NOTHING_HEARD = Heard()


class Release:
    """A release that begins at a boundary; `share_ppm` of the cameras have it from the last one on.

    `quantities`: how many of its messages a guard decides by; none: by labels, or what stands for them.
    """

    def __init__(self, rule: RolloutRule, begin_us: int, quantities: int = 0):
        self._rule = rule
        self._guard: Guard | MessageGuard | None = None
        if rule.guard:
            self._guard = MessageGuard(1, quantities, rule.guard) if quantities else Guard(1, rule.guard)
        self._heard = NOTHING_HEARD
        self._wave, self._since_us = 0, begin_us
        self.log = [Event(begin_us, Change.BEGUN, rule.waves_ppm[0])]

    @property
    def ended(self) -> bool:
        """Whether it is through, or was taken back."""
        return self.log[-1].change > Change.WAVE

    @property
    def taken_back(self) -> bool:
        """Whether everybody has again what it was to replace."""
        return self.log[-1].change > Change.THROUGH

    @property
    def share_ppm(self) -> int:
        """Share of the cameras, in a million, that are to have it."""
        return 0 if self.taken_back else self._rule.waves_ppm[self._wave]

    def next_us(self, now_us: int) -> int | None:
        """The next time at which it may change, after `now_us`; None once it has ended.

        Under a guard, and while cameras are still to be reached, that is at once.
        """
        if self.ended:
            return None
        by_clock = self._guard is None and self.share_ppm < EVERYONE_PPM
        return max(now_us + 1, self._since_us + self._rule.wave_us) if by_clock else now_us + 1

    def step(self, now_us: int, heard: Heard = NOTHING_HEARD) -> None:
        """Decide at a boundary, by what is known there."""
        if self.ended:
            return
        verdict = self._verdict(heard)
        if heard.failed > self._rule.most_failed * heard.wanted:
            self._note(now_us, Change.BACK_FAILED)
        elif verdict == Verdict.GO_BACK:
            self._note(now_us, Change.BACK_WORSE)
        elif heard.reached and self.share_ppm == EVERYONE_PPM:
            self._note(now_us, Change.THROUGH)
        elif heard.reached and self._wave_over(now_us - self._since_us, verdict):
            self._wave, self._since_us = self._wave + 1, now_us
            self._note(now_us, Change.WAVE)

    def _wave_over(self, took_us: int, verdict: int) -> bool:
        wave_us = self._rule.wave_us
        if self._wave == 0 and verdict == Verdict.HOLD:
            return took_us >= wave_us * len(self._rule.waves_ppm)
        return took_us >= wave_us

    def _verdict(self, heard: Heard) -> int:
        """After all labels so far; those of the control wait until there are new ones of the canary."""
        if self._guard is None:
            return Verdict.GO_ON
        if heard.canary > self._heard.canary:
            old, self._heard = self._heard, heard
            if isinstance(self._guard, MessageGuard):
                new_GRQ2 = (heard.messages_GQ2 - old.messages_GQ2)[:, None]
                self._guard.step(new_GRQ2[..., 0], new_GRQ2[..., 1])
            else:
                self._guard.step(
                    _labels(heard.canary - old.canary, heard.canary_right - old.canary_right),
                    _labels(heard.control - old.control, heard.control_right - old.control_right),
                )
        return int(self._guard.verdict_R[0])

    def _note(self, now_us: int, change: Change) -> None:
        self.log.append(Event(now_us, change, self._rule.waves_ppm[self._wave]))


def _labels(total: int, right: int) -> Labels:
    return Labels(np.array([total]), np.array([right]))
