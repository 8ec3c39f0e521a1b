"""What the driver decides at a sweep point: which head answers whom, and which encoder is on its way.

Without `rollout:` all is scheduled from the start. With it, heads and encoders are releases, one after the
other: at period boundaries the driver moves the one under way on, by what shards and servers had counted
until then, and they are told with their next step. A camera keeps its place in a release's waves.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fleet_sim.basics.hashing import STREAM_ROLLOUT
from fleet_sim.cluster.agreement import Agreement
from fleet_sim.cluster.departures import Departures, Encoders
from fleet_sim.cluster.epochs import head_schedule
from fleet_sim.cluster.published import Published
from fleet_sim.engine.fleet import Fleet, Mixes, Schedule
from fleet_sim.engine.orders import NO_ORDER, Known, Order, cameras_in_wave
from fleet_sim.engine.shadows import Shown
from fleet_sim.engine.weighings import QUANTITIES, Weighed
from fleet_sim.network.blocks import NEVER_US
from fleet_sim.registry.guard import GuardRule
from fleet_sim.registry.rollout import EVERYONE_PPM, Heard, Release, RolloutRule
from fleet_sim.scenario import Planned, Scenario, releases_of
from fleet_sim.scenario.rollout import BetsSpec, LabelsGuardSpec, RolloutSpec

SECOND_US = 1_000_000
COMMAND_BYTES = 32 + 64  # a version's hash and a signature: have again what you had


@dataclass(frozen=True)
class _Underway:
    """A release, by its number, of a head or encoder, by its place, to cameras that have the one `before`."""

    number: int
    encoder: bool
    place: int
    before: int
    release: Release
    from_s: int  # the first whole second of it
    evidence: Agreement | Departures | None  # in place of labels, under a guard without any


class Rollout:
    """What the driver knows and decides at one point."""

    def __init__(self, point: Scenario, fleet: Fleet, versions: int):
        self._unlabelled = point.unlabelled
        self.schedule: Schedule = head_schedule(point)
        self._order, self._encoder = NO_ORDER, 0
        self._fleet, self._control = fleet, point.control
        self._heads = [head.name for head in point.heads]
        self._underway: _Underway | None = None
        self._begun: list[_Underway] = []
        spec = point.rollout
        guard = spec.guard if spec else None
        self._rule = _rule_of(spec) if spec else None
        self._keep_us = spec.air.keep_us if spec else None
        self._delay_us = guard.delay_us if isinstance(guard, LabelsGuardSpec) else 0
        self._queue = deque(enumerate(releases_of(point)))
        self._announced = len(self._queue)
        self._labels_VHS2 = np.zeros((versions, len(self._heads), fleet.seconds, 2), np.int64)
        self._installs_VS3 = np.zeros((versions, fleet.seconds, 3), np.int64)
        self._retrained: dict[int, Sequence[int]] = {}  # encoders that a head was made for

    def next_us(self, now_us: int) -> int | None:
        """The boundary after `now_us` at which it has to decide; None: never again."""
        if self._underway:  # one that was taken back until no camera has it any more
            release = self._underway.release
            then_us = now_us + 1 if release.ended else release.next_us(now_us)
        else:
            then_us = self._queue[0][1].at_us if self._queue else None
        return None if then_us is None else self._control.boundary_us(then_us)

    def hear(self, labels_N5: np.ndarray) -> None:
        """Labels that servers counted: version, head, second, how many, and how many say right."""
        version_N, head_N, second_N = labels_N5.T[:3]
        np.add.at(self._labels_VHS2, (version_N, head_N, second_N), labels_N5[:, 3:])

    def hear_shown(self, seen: Shown) -> None:
        """Frames that a released head and the one before it answered."""
        if self._underway and isinstance(self._underway.evidence, Agreement):
            self._underway.evidence.hear(seen)

    def hear_weighed(self, weighed: Weighed) -> None:
        """Messages of released encoders and of those before."""
        if self._underway and isinstance(self._underway.evidence, Departures):
            self._underway.evidence.hear(weighed)

    def hear_installs(self, installs_N5: np.ndarray) -> None:
        """Installs that shards counted: version, second, cameras that took it up, failed, gave it up."""
        version_N, second_N = installs_N5.T[:2]
        np.add.at(self._installs_VS3, (version_N, second_N), installs_N5[:, 2:])

    def encoders(self, now_us: int, published: Published) -> list[int]:
        """Those that cameras have, and that servers read, by what was counted until the last whole second."""
        if not self._fleet.downlink.bps:
            return [int(np.searchsorted(published.from_us, now_us, side="right")) - 1]
        taken_up_V, _, given_up_V = self._installs_VS3[:, : now_us // SECOND_US].sum(axis=1).T
        cameras_V = taken_up_V - given_up_V
        cameras_V[0] += self._fleet.cameras
        read_V = self._retired_us_V() > now_us
        return [int(version) for version in np.flatnonzero(read_V & (cameras_V > 0))]

    def take_up(self, head: int, encoders: Sequence[int], now_us: int) -> None:
        """A head is there, retrained for these encoders; told at a boundary before `decide`.

        It is released, or answers from now on. What other encoders send is read by the head before it.
        """
        self._retrained[head] = encoders
        if self._rule is None:
            in_force = np.searchsorted(self.schedule.head_from_us_W, now_us, side="right") - 1
            self._let_stand_in(head, int(self.schedule.head_W[in_force]))
            self._answer_by(head, now_us)
            return
        releases = [*self._queue, (self._announced, Planned(now_us, self._heads[head]))]
        self._queue = deque(sorted(releases, key=lambda release: release[1].at_us))
        self._announced += 1

    def decide(self, now_us: int, published: Published) -> Known:
        """Move on at a boundary, when all counted until then has been heard; what shards know from now on."""
        if self._underway:
            self._go_on(self._underway, now_us, published)
        while self._underway is None and self._queue and self._queue[0][1].at_us <= now_us:
            self._begin(*self._queue.popleft(), now_us, published)
        return self.known(published)

    def known(self, published: Published) -> Known:
        """What shards know where nothing is to be decided."""
        return Known(np.array(published.from_us, np.int64), self._order)

    def events_E4(self) -> np.ndarray:
        """What releases did, as Counts have it."""
        rows = [
            (under.number, event.at_us, event.change, event.share_ppm)
            for under in self._begun
            for event in under.release.log
        ]
        return np.array(rows, np.int64).reshape(-1, 4)

    def _begin(self, number: int, plan: Planned, now_us: int, published: Published) -> None:
        """Give a release to its canary; one of the head that is in force already has nothing to do."""
        if plan.head is None:
            encoder, place, before = True, plan.version, self._encoder
        else:
            encoder, place, before = False, self._heads.index(plan.head), int(self.schedule.head_W[-1])
            self._let_stand_in(place, before)
        if self._rule is not None and place != before:
            by_messages = encoder and self._unlabelled
            release = Release(self._rule, now_us, QUANTITIES if by_messages else 0)
            self._underway = _Underway(
                number,
                encoder,
                place,
                before,
                release,
                -(-now_us // SECOND_US),
                self._evidence(number, encoder, (place, before), published) if self._unlabelled else None,
            )
            self._begun.append(self._underway)
            self._carry_out(self._underway, now_us, published)

    def _evidence(
        self, number: int, encoder: bool, pair: tuple[int, int], published: Published
    ) -> Agreement | Departures:
        fleet, stated = self._fleet, published.stated
        if encoder:
            says_ELnQ = np.stack([stated[version].says_LnQ for version in pair])
            return Departures(Encoders(*pair), says_ELnQ, fleet.scenes, fleet.seed, number)
        new, old = pair
        agree_VLn = np.stack([of.answer_HLn[new] == of.answer_HLn[old] for of in stated])
        return Agreement(pair, agree_VLn, fleet.scenes)

    def _go_on(self, under: _Underway, now_us: int, published: Published) -> None:
        release = under.release
        if not release.ended:
            share_ppm = release.share_ppm
            release.step(now_us, self._heard(under, now_us))
            if release.share_ppm != share_ppm:
                self._carry_out(under, now_us, published)
        if release.ended and not self._lingers(under, now_us):
            self._underway = None
            if under.encoder and not release.taken_back:
                self._encoder = under.place
                self._retire(under.before, now_us)

    def _lingers(self, under: _Underway, now_us: int) -> bool:
        """Whether cameras still have, or are about to take up, an encoder that was taken back."""
        if not under.encoder or not under.release.taken_back:
            return False
        taken_up_S, _, given_up_S = self._installs_VS3[under.place].T
        return bool(taken_up_S.sum() > given_up_S[: now_us // SECOND_US].sum())

    def _heard(self, under: _Underway, now_us: int) -> Heard:
        """Labels, or what stands for them, and installs until now."""
        heard = under.evidence.known(now_us) if under.evidence else self._labels_known(under, now_us)
        if not under.encoder:
            return heard
        fleet, share_ppm = self._fleet, under.release.share_ppm
        wanted = int(cameras_in_wave(fleet.seed, under.number, fleet.cameras, share_ppm))
        taken_up, failed, _ = self._installs_VS3[under.place, : now_us // SECOND_US].sum(axis=0).tolist()
        return replace(heard, wanted=wanted, failed=failed, reached=taken_up + failed == wanted)

    def _labels_known(self, under: _Underway, now_us: int) -> Heard:
        """Labels of the whole seconds since it began that were over `delay_us` ago."""
        known = slice(under.from_s, max(under.from_s, (now_us - self._delay_us) // SECOND_US))
        labels_VH2 = self._labels_VHS2[:, :, known].sum(axis=2)
        if under.encoder:
            labels_N2 = labels_VH2.sum(axis=1)
        else:  # what it does not read says nothing of it
            labels_N2 = labels_VH2[self._read_by(under.place)].sum(axis=0)
        return Heard(*labels_N2[under.place].tolist(), *labels_N2[under.before].tolist())

    def _carry_out(self, under: _Underway, now_us: int, published: Published) -> None:
        """Let the share of the cameras that the release has now have what it brings."""
        if under.encoder:
            self._send(under, now_us, published.content_bytes[under.place])
        elif under.release.taken_back:
            self._answer_by(under.before, now_us)
        elif under.release.share_ppm == EVERYONE_PPM:
            self._answer_by(under.place, now_us)
        else:
            self._answer_side_by_side(under, now_us)

    def _send(self, under: _Underway, now_us: int, content_bytes: Sequence[int]) -> None:
        back, share_ppm = under.release.taken_back, under.release.share_ppm
        content_bytes_V = np.full(len(self._installs_VS3), COMMAND_BYTES)
        if not back:
            content_bytes_V[: under.place] = content_bytes
        number = self._order.number + 1
        self._order = Order(number, now_us, under.place, under.number, share_ppm, content_bytes_V, back)

    def _retire(self, version: int, now_us: int) -> None:
        """Let servers drop a version's decoders in time, where the scenario says when."""
        if self._keep_us is not None:
            retired_us_V = self._retired_us_V()
            retired_us_V[version] = now_us + self._keep_us
            self.schedule = self.schedule._replace(retired_us_V=retired_us_V)

    def _retired_us_V(self) -> np.ndarray:
        """From when servers read each version no more."""
        retired_us_V = self.schedule.retired_us_V
        return retired_us_V.copy() if len(retired_us_V) else np.full(len(self._labels_VHS2), NEVER_US)

    def _let_stand_in(self, head: int, before: int) -> None:
        """Let the head before answer what comes of encoders that a retrained one was not made for."""
        versions = len(self._labels_VHS2)
        others = np.setdiff1d(np.arange(versions), self._read_by(head))
        if len(others):
            reads_VH = self.schedule.reads_VH.copy()
            if not reads_VH.size:
                reads_VH = np.tile(np.arange(len(self._heads)), (versions, 1))
            reads_VH[others, head] = reads_VH[others, before]
            self.schedule = self.schedule._replace(reads_VH=reads_VH)

    def _read_by(self, head: int) -> list[int]:
        """The encoders that a head reads: all, or those that it was retrained for."""
        return list(self._retrained.get(head, range(len(self._labels_VHS2))))

    def _answer_by(self, place: int, now_us: int) -> None:
        from_us_W, head_W = self.schedule.head_from_us_W, self.schedule.head_W
        after = np.searchsorted(from_us_W, now_us, side="right")
        self.schedule = self.schedule._replace(
            head_from_us_W=np.insert(from_us_W, after, now_us), head_W=np.insert(head_W, after, place)
        )

    def _answer_side_by_side(self, under: _Underway, now_us: int) -> None:
        """The head released for the cameras of the wave, the one before for the others."""
        below_ppm, heads = [under.release.share_ppm, EVERYONE_PPM], [under.place, under.before]
        mixes = self.schedule.mixes
        place = len(self._heads) + len(mixes.stream_I)
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
    if isinstance(spec.guard, BetsSpec):
        guard = GuardRule(spec.guard.harm, spec.guard.alpha, spec.guard.beta)
    return RolloutRule(waves_ppm, spec.wave_us, guard, spec.air.most_failed)
