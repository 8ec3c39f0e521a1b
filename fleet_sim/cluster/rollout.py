"""Which head answers whom at a sweep point: as scheduled, or as its releases go.

The driver decides at period boundaries, one release after the other, by the labels of answers that servers
had given until then; servers are told with their next step. A camera keeps its place in a release's waves.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from fleet_sim.basics.hashing import STREAM_ROLLOUT
from fleet_sim.cluster.epochs import head_schedule
from fleet_sim.engine.fleet import Mixes, Schedule
from fleet_sim.registry.guard import GuardRule
from fleet_sim.registry.rollout import EVERYONE_PPM, Heard, Release, RolloutRule
from fleet_sim.scenario import Scenario, releases_of
from fleet_sim.scenario.rollout import LabelsGuardSpec, RolloutSpec

SECOND_US = 1_000_000


@dataclass(frozen=True)
class _Underway:
    """A release, by its number, of `head` to cameras that `before` answers."""

    number: int
    head: int
    before: int
    release: Release
    from_s: int  # the first whole second of it


class Rollout:
    """What the driver knows and decides at one point; without `rollout:` all is decided from the start."""

    def __init__(self, point: Scenario, versions: int):
        self.schedule: Schedule = head_schedule(point)
        heads = [head.name for head in point.heads]
        self._heads, self._control = len(heads), point.control
        self._underway: _Underway | None = None
        self._begun: list[_Underway] = []
        spec = point.rollout
        guard = spec.guard if spec else None
        self._rule = _rule_of(spec) if spec else None
        self._delay_us = guard.delay_us if isinstance(guard, LabelsGuardSpec) else 0
        self._queue = deque(
            (number, release.at_us, heads.index(release.head))
            for number, release in enumerate(releases_of(point))
        )
        self._announced = len(self._queue)
        seconds = -(-point.duration_us // SECOND_US)
        self._labels_VHS2 = np.zeros((versions, len(heads), seconds, 2), np.int64)

    def next_us(self, now_us: int) -> int | None:
        """The boundary after `now_us` at which it has to decide; None: never again."""
        if self._underway:
            then_us = self._underway.release.next_us(now_us)
        else:
            then_us = self._queue[0][1] if self._queue else None
        return None if then_us is None else self._control.boundary_us(then_us)

    def hear(self, labels_N5: np.ndarray) -> None:
        """Labels that servers counted: version, head, second, how many, and how many say right."""
        version_N, head_N, second_N = labels_N5.T[:3]
        np.add.at(self._labels_VHS2, (version_N, head_N, second_N), labels_N5[:, 3:])

    def take_up(self, head: int, now_us: int) -> None:
        """A head is there, retrained; told at a boundary before `decide`: release it, or let it answer."""
        if self._rule is None:
            self._answer_by(head, now_us)
            return
        releases = [*self._queue, (self._announced, now_us, head)]
        self._queue = deque(sorted(releases, key=lambda release: release[1]))
        self._announced += 1

    def decide(self, now_us: int) -> None:
        """Move on at a boundary, when all labels of answers done by then have been heard."""
        if self._underway:
            self._go_on(self._underway, now_us)
        while self._underway is None and self._queue and self._queue[0][1] <= now_us:
            number, _, head = self._queue.popleft()
            self._begin(number, head, now_us)

    def events_E4(self) -> np.ndarray:
        """What releases did, as Counts have it."""
        rows = [
            (under.number, event.at_us, event.change, event.share_ppm)
            for under in self._begun
            for event in under.release.log
        ]
        return np.array(rows, np.int64).reshape(-1, 4)

    def _begin(self, number: int, head: int, now_us: int) -> None:
        """Give a release to its canary; one of the head that is in force already has nothing to do."""
        before = int(self.schedule.head_W[-1])
        if self._rule is not None and head != before:
            release = Release(self._rule, now_us)
            self._underway = _Underway(number, head, before, release, -(-now_us // SECOND_US))
            self._begun.append(self._underway)
            self._answer_side_by_side(self._underway, now_us)

    def _go_on(self, under: _Underway, now_us: int) -> None:
        release = under.release
        share_ppm = release.share_ppm
        release.step(now_us, self._heard(under, now_us))
        if release.taken_back:
            self._answer_by(under.before, now_us)
        elif release.share_ppm == EVERYONE_PPM != share_ppm:
            self._answer_by(under.head, now_us)
        elif release.share_ppm != share_ppm:
            self._answer_side_by_side(under, now_us)
        if release.ended:
            self._underway = None

    def _heard(self, under: _Underway, now_us: int) -> Heard:
        """Labels of the whole seconds since it began that were over `delay_us` ago."""
        known = slice(under.from_s, max(under.from_s, (now_us - self._delay_us) // SECOND_US))
        labels_H2 = self._labels_VHS2[:, :, known].sum(axis=(0, 2))
        return Heard(*labels_H2[under.head].tolist(), *labels_H2[under.before].tolist())

    def _answer_by(self, place: int, now_us: int) -> None:
        from_us_W, head_W, mixes = self.schedule
        after = np.searchsorted(from_us_W, now_us, side="right")
        self.schedule = Schedule(np.insert(from_us_W, after, now_us), np.insert(head_W, after, place), mixes)

    def _answer_side_by_side(self, under: _Underway, now_us: int) -> None:
        """The head released for the cameras of the wave, the one before for the others."""
        below_ppm, heads = [under.release.share_ppm, EVERYONE_PPM], [under.head, under.before]
        mixes = self.schedule.mixes
        place = self._heads + len(mixes.stream_I)
        mixes = Mixes(
            np.append(mixes.stream_I, STREAM_ROLLOUT),
            np.append(mixes.counter_I, under.number),
            np.array([*mixes.below_ppm_IA.tolist(), below_ppm], np.int64),
            np.array([*mixes.head_IA.tolist(), heads], np.int64),
        )
        self.schedule = self.schedule._replace(mixes=mixes)
        self._answer_by(place, now_us)


def _rule_of(spec: RolloutSpec) -> RolloutRule:
    waves_ppm = tuple(round(share * EVERYONE_PPM) for share in spec.waves)
    guard = None
    if isinstance(spec.guard, LabelsGuardSpec):
        guard = GuardRule(spec.guard.harm, spec.guard.alpha, spec.guard.beta)
    return RolloutRule(waves_ppm, spec.wave_us, guard)
