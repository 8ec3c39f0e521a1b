"""One server in virtual time: all arrivals in total order, batches, and what each answer counts as."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_AUDIT, STREAM_PHASE, draw_below
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO, Sent, scene_of
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.serving.batching import run_batches


@dataclass(frozen=True)
class Batching:
    """A server's batching rule and its service time, in frames and microseconds."""

    batch: int
    max_wait_us: int
    batch_us: int
    frame_us: int


@dataclass(frozen=True)
class Waiting:
    """What one server holds between two steps: frames not yet in a batch, and when it is free."""

    frames: Sent
    free_us: int = 0


Judge = Callable[[Sent, np.ndarray], np.ndarray]
"""(frames in batches, place of the head that answers each) -> bool: was the answer right?"""


def no_frames() -> Sent:
    """Nothing sent."""
    return Sent(*(np.zeros(0, np.int64) for _ in Sent._fields))


def take(sent: Sent, index: np.ndarray | slice) -> Sent:
    """The frames at `index`."""
    return Sent(*(column[index] for column in sent))


def merge(parts: list[Sent], cells: int) -> Sent:
    """All parts in the total order (arrival, cell, camera, frame), whoever sent them."""
    both = Sent(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return take(both, np.lexsort((both.frame, both.camera, both.camera % cells, both.arrive_us)))


def serve(
    waiting: Waiting,
    arrived: list[Sent],
    until_us: int,
    fleet: Fleet,
    schedule: Schedule,
    batching: Batching,
    judge: Judge,
    counts: c.Counts,
    named: tuple[int, ...],
) -> tuple[Waiting, int]:
    """Start every batch that begins before `until_us` and count its answers into `counts`.

    All frames that arrive before `until_us` must be in `waiting` or `arrived`. Returns what still waits and
    how many frames were taken into batches whose answers come after the end of the run.
    """
    frames = merge([waiting.frames, *arrived], fleet.cells)
    present = int(np.searchsorted(frames.arrive_us, until_us))
    start_us, done_us = np.empty(present, np.int64), np.empty(present, np.int64)
    taken, free_us = run_batches(
        frames.arrive_us[:present],
        waiting.free_us,
        until_us,
        batching.batch,
        batching.max_wait_us,
        batching.batch_us,
        batching.frame_us,
        start_us,
        done_us,
    )
    started = take(frames, slice(0, taken))
    head_W = schedule.head_W[np.searchsorted(schedule.head_from_us_W, start_us[:taken], side="right") - 1]
    named_M = np.full(taken, -1, np.int64)
    for place, cell in enumerate(named):
        named_M[started.camera % fleet.cells == cell] = place
    too_late = count_answers(
        started,
        done_us[:taken],
        judge(started, head_W),
        named_M,
        fleet,
        c.LATENCY_EDGES_US,
        counts.by_second_VSC,
        counts.cells_KSC,
        counts.latency_VB,
    )
    return replace(waiting, frames=take(frames, slice(taken, None)), free_us=int(free_us)), int(too_late)


@compiled()
def look_up(frames, head_M, fleet, right_VHLF):
    """A bank's judgement of these frames, (M,) bool."""
    right_M = np.empty(frames.camera.shape[0], np.bool_)
    for m in range(right_M.shape[0]):
        scene = scene_of(fleet.seed, frames.camera[m], frames.frame[m], fleet.scenes)
        right_M[m] = right_VHLF[frames.version[m], head_M[m], frames.level[m], scene]
    return right_M


@compiled()
def scenes_of(frames, fleet):
    """Which scene each frame shows, (M,) int64."""
    scene_M = np.empty(frames.camera.shape[0], np.int64)
    for m in range(scene_M.shape[0]):
        scene_M[m] = scene_of(fleet.seed, frames.camera[m], frames.frame[m], fleet.scenes)
    return scene_M


@compiled()
def audited(frames, fleet, share_ppm):
    """Which frames an audit of this share takes, (M,) bool."""
    chosen_M = np.empty(frames.camera.shape[0], np.bool_)
    for m in range(chosen_M.shape[0]):
        chosen_M[m] = (
            draw_below(fleet.seed, STREAM_AUDIT, frames.camera[m], frames.frame[m], MICRO) < share_ppm
        )
    return chosen_M


@compiled()
def capture_us_of(camera, frame, fleet):
    """When this camera took this frame."""
    phase_us = draw_below(fleet.seed, STREAM_PHASE, camera, 0, fleet.frame_period_us)
    return phase_us + frame * fleet.frame_period_us


@compiled()
def count_answers(frames, done_us_M, right_M, named_M, fleet, edges_us, by_second_VSC, cells_KSC, latency_VB):
    """Count answers that come before the end of the run; return how many do not."""
    after_end = 0
    for m in range(done_us_M.shape[0]):
        done_us = done_us_M[m]
        if done_us >= fleet.duration_us:
            after_end += 1
            continue
        version, second = frames.version[m], done_us // MICRO
        latency_us = done_us - capture_us_of(frames.camera[m], frames.frame[m], fleet)
        on_time = latency_us <= fleet.deadline_us
        latency_VB[version, np.searchsorted(edges_us, latency_us)] += 1
        for column, amount in (
            (c.ANSWERED, 1),
            (c.RIGHT, np.int64(right_M[m])),
            (c.RIGHT_ON_TIME, np.int64(right_M[m] and on_time)),
            (c.ON_TIME, np.int64(on_time)),
            (c.LATENCY_US_SUM, latency_us),
        ):
            by_second_VSC[version, second, column] += amount
            if named_M[m] >= 0:
                cells_KSC[named_M[m], second, column] += amount
    return after_end
