"""A server of several replicas in virtual time: what reaches it, what becomes of it, and the counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.engine import counts as c
from fleet_sim.engine.answers import FIRST_BIN_K, count_answers
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.heads import Judge, judged, with_mixes
from fleet_sim.engine.sent import Sent, room_for, take, together
from fleet_sim.serving.order import in_order
from fleet_sim.serving.pool import held_frames, hold_again, run_pool
from fleet_sim.serving.replicas import SHED, WAITS, Frames, Pool, Rules, new_pool


@dataclass(frozen=True)
class Held:
    """What one server holds between two steps."""

    pool: Pool
    frames: Sent  # K in queues and batches, then those still on their way
    queued_us_K: np.ndarray
    replica_K: np.ndarray
    serving_K: np.ndarray


def nothing_held(rules: Rules) -> Held:
    """A server before its first frame."""
    nothing = np.zeros(0, np.int64)
    return Held(new_pool(rules), room_for(0), nothing, np.zeros(0, np.int16), np.zeros(0, np.bool_))


def serve_pool(
    held: Held,
    arrived: Sequence[Sent],
    until_us: int,
    fleet: Fleet,
    rules: Rules,
    schedule: Schedule,
    judge: Judge,
    counts: c.Counts,
    named: tuple[int, ...],
    server: int,
) -> Held:
    """Take every event before `until_us` and count what came of it; returns what is held then."""
    in_force = rules._replace(
        service_us_HN=with_mixes(rules.service_us_HN, schedule.mixes),
        head_from_us_W=schedule.head_from_us_W,
        head_W=schedule.head_W,
    )
    held, sent, frames = advance(held, arrived, until_us, fleet, in_force)
    _count(frames, judge, sent, fleet, schedule, counts, named)
    counts.work_PQ[server] = held.pool.work_Q
    return held


def advance(
    held: Held, arrived: Sequence[Sent], until_us: int, fleet: Fleet, rules: Rules
) -> tuple[Held, Sent, Frames]:
    """Take every event before `until_us`: what is held then, and what became of M frames in the meantime.

    All frames that arrive before `until_us` must be in `held` or `arrived`.
    """
    k = len(held.replica_K)
    coming = together([take(held.frames, slice(k, None)), *arrived])
    _, place_M = in_order(coming.arrive_us, coming.camera, coming.frame, fleet.cells)
    sent = together([take(held.frames, slice(0, k)), take(coming, place_M)])
    size = len(sent.camera)
    frames = Frames(
        sent.arrive_us,
        sent.capture_us + fleet.deadline_us,
        sent.camera,
        sent.version,
        _classes_of(sent.camera, fleet, rules.class_G),
        np.concatenate([held.queued_us_K, np.zeros(size - k, np.int64)]),
        np.empty(size, np.int32),
        np.full(size, WAITS, np.int16),
        np.empty(size, np.int64),
    )
    pool = Pool(*(np.array(column) for column in held.pool))
    hold_again(pool, frames, held.replica_K, held.serving_K)
    ahead = int(run_pool(pool, rules, frames, k, until_us))
    kept_M, replica_M, serving_M = (
        np.empty(size, np.int64),
        np.empty(size, np.int16),
        np.empty(size, np.bool_),
    )
    k = int(held_frames(pool, frames, kept_M, replica_M, serving_M))
    kept = take(sent, np.concatenate([kept_M[:k], np.arange(ahead, size)]))
    return Held(pool, kept, frames.queued_us[kept_M[:k]], replica_M[:k], serving_M[:k]), sent, frames


def _count(
    frames: Frames,
    judge: Judge,
    sent: Sent,
    fleet: Fleet,
    schedule: Schedule,
    counts: c.Counts,
    named: tuple[int, ...],
) -> None:
    named_K = np.array(named, np.int64)
    count_answers(
        sent,
        frames.head,
        frames.ended_us,
        judged(sent, frames.head, frames.ended_us, fleet, schedule, judge, counts),
        fleet,
        named_K,
        c.LATENCY_EDGES_US,
        FIRST_BIN_K,
        counts.tallies,
        counts.latency_VB,
    )
    _count_shed(sent, frames.head, frames.ended_us, fleet, named_K, counts.tallies)


@compiled()
def _count_shed(sent, head_M, ended_us_M, fleet, named_K, tallies):
    for m in range(head_M.shape[0]):
        if head_M[m] != SHED:
            continue
        second = ended_us_M[m] // MICRO
        tallies.by_second_VSC[sent.version[m], second, c.DROPPED_SHED] += 1
        for k in range(named_K.shape[0]):
            if sent.camera[m] % fleet.cells == named_K[k]:
                tallies.cells_KSC[k, second, c.DROPPED_SHED] += 1
        if tallies.groups_GSC.shape[0] > 0:
            tallies.groups_GSC[group_of(fleet, sent.camera[m]), second, c.DROPPED_SHED] += 1


@compiled()
def _classes_of(camera_M, fleet, class_G):
    """The class of each frame, (M,) int8; the first is served first."""
    class_M = np.zeros(camera_M.shape[0], np.int8)
    if class_G.shape[0] > 1:
        for m in range(class_M.shape[0]):
            class_M[m] = class_G[group_of(fleet, camera_M[m])]
    return class_M
