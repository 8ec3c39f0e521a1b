"""Decoder servers: they answer in virtual time, by the versions that they host."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from fleet_sim.basics.compiled import read_only
from fleet_sim.basics.memory import keep_memory
from fleet_sim.cluster.answering import Answering
from fleet_sim.cluster.bank import one_scene
from fleet_sim.cluster.host import MemberLost
from fleet_sim.cluster.point import Delivery, Point
from fleet_sim.cluster.received import as_received
from fleet_sim.codec.received import Received
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.engine.answers import (
    Batching,
    Waiting,
    look_up,
    nothing_waits,
    scenes_of,
    serve,
)
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Schedule
from fleet_sim.engine.heads import Judge
from fleet_sim.engine.lessons import (
    Kept,
    forget,
    is_labelled,
    kept_with,
    labelled_by,
    labels_as_given,
    nothing_kept,
)
from fleet_sim.engine.pools import Held, nothing_held, serve_pool
from fleet_sim.engine.retired import count_unreadable, unreadable, without
from fleet_sim.engine.sent import Sent, room_for, take
from fleet_sim.engine.shadows import NOTHING_SHOWN, Shown, first_shown
from fleet_sim.engine.watch import count_watched, weighed
from fleet_sim.engine.weighings import NOTHING_WEIGHED, Weighed, first_weighed
from fleet_sim.serving.replicas import SHED, Rules


@dataclass(frozen=True)
class Progress:
    """What the servers of a member counted in one step."""

    counted_VC: np.ndarray
    latency_VB: np.ndarray
    checked: int  # answers done again live and found equal
    labels_N5: np.ndarray  # labels of answers: version, head, second, how many, and how many say right
    shown: Shown = NOTHING_SHOWN  # what a released head and the one before it answered
    weighed: Weighed = NOTHING_WEIGHED  # what messages say of their encoders


@dataclass
class _State:
    point: Point
    batching: Batching
    audit_ppm: int
    pools: tuple[Rules, ...]  # of every server of the run; none where servers are plain
    first: int  # of those, the first that is here
    waiting: list[Waiting | Held]  # of each server here
    messages: dict[tuple[int, int], bytes]  # live: bytes of the waiting frames
    kept: list[list[Kept]]  # for each head to be retrained, of every version
    counts: Counts
    after_end: int


class DecoderServer(Answering):
    """One or several servers. All they know comes through these calls, so they can be rebuilt from them."""

    def __init__(self, member: int, spec: CodecSpec, device: str):
        keep_memory()
        torch.set_num_threads(1)  # a team of threads on cores that members share waits for its slowest
        self._member = member
        super().__init__(spec, device)

    def reset(self) -> None:
        """No scenes, no versions, nothing at work."""
        super().reset()
        self._state: _State | None = None

    def warm(self, point: Point, schedule: Schedule) -> None:
        """Compile what steps need, or load it, before they are asked for; leaves nothing else behind."""
        trial = DecoderServer(0, self._spec, "cpu")
        trial.add_bank(one_scene())
        trial.begin(point, Batching(0, np.ones((point.heads, 2), np.int64)), 0)
        trial.step(point.fleet.duration_us, schedule, Delivery([room_for(0)], {}))

    def begin(self, point: Point, batching: Batching, audit_ppm: int, pools: tuple[Rules, ...] = ()) -> None:
        """Open a sweep point: nothing has arrived."""
        point, pools = point.for_steps(), tuple(map(read_only, pools))
        counts = point.nothing_counted()
        first = sum(point.servers_of_member[: self._member])
        here = range(first, first + point.servers_of_member[self._member])
        waiting = [nothing_held(pools[server]) if pools else nothing_waits() for server in here]
        kept = [[nothing_kept() for _ in range(point.versions)] for _ in point.lessons]
        self._state = _State(point, batching, audit_ppm, pools, first, waiting, {}, kept, counts, 0)

    def step(self, until_us: int, schedule: Schedule, *deliveries: Delivery) -> list[Any]:
        """Answer until `until_us`, given every shard's delivery to this time: [Progress, the new state]."""
        state, schedule = self._here(), read_only(schedule)
        counts = state.counts
        before_VC, before_VB = counts.by_second_VSC.sum(axis=1), counts.latency_VB.copy()
        before_VHS2 = _labels(counts)
        for delivery in deliveries:
            state.messages.update(delivery.messages)
        checked, shown, said = 0, [NOTHING_SHOWN], [NOTHING_WEIGHED]

        def judge(
            frames: Sent, head_M: np.ndarray, otherwise_M: np.ndarray, done_us_M: np.ndarray
        ) -> np.ndarray:
            nonlocal checked
            point, fleet, window_us = state.point, state.point.fleet, state.point.window_us
            weighs = window_us > 0 or point.weighs
            message_M = np.full(len(head_M), b"", object)
            if point.live:
                begun_m = np.flatnonzero(head_M >= 0)
                message_M[begun_m] = messages = _taken(state.messages, frames, head_M)
                right_M = np.zeros(len(head_M), np.bool_)
                right_M[begun_m] = self._classify(point, take(frames, begun_m), head_M[begun_m], messages)
                weighed_M = self._weigh(frames, begun_m, messages) if weighs else None
            else:
                bank = self._bank_of(point)
                right_M = look_up(frames, head_M, fleet, bank.right_VHLF)
                checked += self._audit(point, state.audit_ppm, frames, head_M, right_M)
                weighed_M = (
                    weighed(frames, head_M, fleet, bank.sizes_VFL2, bank.escaped_VFL) if weighs else None
                )
            if point.shadows:
                shown.append(self._shown(point, frames, head_M, otherwise_M, done_us_M, message_M))
            for i, lesson in enumerate(point.lessons):
                labelled_M = is_labelled(frames, head_M, fleet.seed, lesson.labelled_ppm)
                for version, kept in enumerate(state.kept[i]):
                    new_m = np.flatnonzero(labelled_M & (frames.version == version))
                    new = Kept(take(frames, new_m), done_us_M[new_m], message_M[new_m])
                    state.kept[i][version] = kept_with(kept, new)
            if weighed_M is not None and window_us:
                expected_VL, watched_GWQ = self._expected_millibits_VL, counts.watched_GWQ
                count_watched(frames, head_M, right_M, *weighed_M, fleet, expected_VL, window_us, watched_GWQ)
            if weighed_M is not None and point.weighs:
                said.append(self._said(frames, head_M, done_us_M, *weighed_M, fleet))
            return right_M

        for place in range(len(state.waiting)):
            arrived = [self._readable(delivery.by_server[place], schedule) for delivery in deliveries]
            self._serve(state, place, arrived, until_us, schedule, judge)
        for i, lesson in enumerate(state.point.lessons):
            state.kept[i] = [forget(kept, lesson, until_us) for kept in state.kept[i]]
        progress = Progress(
            counts.by_second_VSC.sum(axis=1) - before_VC,
            counts.latency_VB - before_VB,
            checked,
            _rows(_labels(counts) - before_VHS2),
            first_shown(*shown),
            first_weighed(*said),
        )
        return [progress, state]

    def _readable(self, arrived: Sent, schedule: Schedule) -> Sent:
        """What arrived less what no decoder is there for, which is counted and forgotten."""
        state = self._here()
        fleet, place_N = state.point.fleet, unreadable(arrived, schedule, state.point.fleet)
        dropped = take(arrived, place_N)
        count_unreadable(dropped, fleet, np.array(state.point.named_cells, np.int64), state.counts.tallies)
        for key in zip(dropped.camera.tolist(), dropped.frame.tolist(), strict=True):
            state.messages.pop(key, None)
        return without(arrived, place_N) if len(place_N) else arrived

    @staticmethod
    def _serve(
        state: _State, place: int, arrived: list[Sent], until_us: int, schedule: Schedule, judge: Judge
    ) -> None:
        """Bring one server to `until_us`."""
        waiting, fleet, named = state.waiting[place], state.point.fleet, state.point.named_cells
        server = state.first + place
        if isinstance(waiting, Held):
            rules = state.pools[server]
            state.waiting[place] = serve_pool(
                waiting, arrived, until_us, fleet, rules, schedule, judge, state.counts, named, server
            )
            return
        state.waiting[place], after_end = serve(
            waiting, arrived, until_us, fleet, schedule, state.batching, judge, state.counts, named, server
        )
        state.after_end += after_end

    def watched(self) -> np.ndarray:
        """What was counted for the alarm here so far: counts.watched_GWQ."""
        return self._here().counts.watched_GWQ

    def received(self, lesson: int, version: int, at_us: int) -> Received:
        """The frames of a version, with labels that are here by now, that this head is to be retrained on."""
        point = self._here().point
        kept = labelled_by(self._here().kept[lesson][version], point.lessons[lesson], at_us)
        scene_K = scenes_of(kept.frames, point.fleet)
        images_FHWC = None if point.live else self._images_FHWC
        latent_KN = as_received(kept, self._versions[version], scene_K, images_FHWC)
        wrong_ppm, label_K = point.lessons[lesson].wrong_ppm, self._labels_F[scene_K]
        label_K = labels_as_given(kept.frames, label_K, point.fleet.seed, wrong_ppm, point.classes)
        _, _, camera_K, frame_K, level_K, _ = kept.frames
        return Received(kept.done_us_K, camera_K, frame_K, level_K, label_K, latent_KN)

    def finish(self) -> Counts:
        """Close the point: everything counted here, with the frames still held in flight."""
        state = self._here()
        held = sum(len(waiting.frames.camera) for waiting in state.waiting)
        return replace(state.counts, in_flight=state.after_end + held)

    def restore(self, snapshot: _State) -> None:
        """Go back to a state that `step` returned (shared memory is read-only, so it is copied)."""
        self._state = replace(
            snapshot,
            point=snapshot.point.for_steps(),
            pools=tuple(map(read_only, snapshot.pools)),
            waiting=list(snapshot.waiting),
            messages=dict(snapshot.messages),
            kept=[list(of_lesson) for of_lesson in snapshot.kept],
            counts=snapshot.counts.copy(),
        )

    def _here(self) -> _State:
        if self._state is None:
            raise MemberLost("no sweep point is open here")
        return self._state


def _taken(messages: dict[tuple[int, int], bytes], frames: Sent, head_M: np.ndarray) -> list[bytes]:
    """The bytes of the frames that a batch begins, taken out of `messages`; those shed are forgotten."""
    shed = take(frames, np.flatnonzero(head_M == SHED))
    for key in zip(shed.camera.tolist(), shed.frame.tolist(), strict=True):
        del messages[key]
    begun = take(frames, np.flatnonzero(head_M >= 0))
    return [messages.pop(key) for key in zip(begun.camera.tolist(), begun.frame.tolist(), strict=True)]


def _labels(counts: Counts) -> np.ndarray:
    """(V, H, S, 2) labels and how many say right, of all groups."""
    labels_VHS2: np.ndarray = counts.answers_GVHS3[..., 1:].sum(axis=0)
    return labels_VHS2


def _rows(labels_VHS2: np.ndarray) -> np.ndarray:
    """Where there are any: version, head, second, how many, and how many say right."""
    places = np.nonzero(labels_VHS2[..., 0])
    return np.column_stack([*places, labels_VHS2[places]])
