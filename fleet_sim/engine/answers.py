"""One server in virtual time: all arrivals in total order, batches, and what each answer counts as."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleet_sim.basics.compiled import compiled, inlined
from fleet_sim.basics.hashing import STREAM_AUDIT, draw_below
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.heads import Judge, judged, with_mixes
from fleet_sim.engine.sent import Sent, room_for, take, together
from fleet_sim.engine.views import scene_of
from fleet_sim.serving.batching import run_batches
from fleet_sim.serving.order import in_order
from fleet_sim.serving.replicas import READY_US, WAITS

# A latency's bin lies at or shortly after that of the sixteenth of an octave named by the upper 16 bits
# of its float64: sign, exponent, four bits of fraction.
_UPPER = 48
_FIRST_KEY = int(np.float64(c.LATENCY_EDGES_US[0]).view(np.int64) >> _UPPER)
_KEYS = int(np.float64(c.LATENCY_EDGES_US[-1]).view(np.int64) >> _UPPER) - _FIRST_KEY + 1
FIRST_BIN_K = np.searchsorted(
    c.LATENCY_EDGES_US, ((_FIRST_KEY + np.arange(_KEYS)) << _UPPER).view(np.float64)
)


@dataclass(frozen=True)
class Batching:
    """A server's batching rule and its service times."""

    max_wait_us: int
    service_us_HN: np.ndarray  # of head h for n frames; the last n is the largest batch


@dataclass(frozen=True)
class Waiting:
    """What one server holds between two steps: frames not yet in a batch, and when it is free."""

    frames: Sent
    free_us: int = 0


def nothing_waits() -> Waiting:
    """A server before its first frame."""
    return Waiting(room_for(0))


def serve(
    waiting: Waiting,
    arrived: Sequence[Sent],
    until_us: int,
    fleet: Fleet,
    schedule: Schedule,
    batching: Batching,
    judge: Judge,
    counts: c.Counts,
    named: tuple[int, ...],
    server: int,
) -> tuple[Waiting, int]:
    """Start every batch that begins before `until_us` and count its answers into `counts`.

    All frames that arrive before `until_us` must be in `waiting` or `arrived`. Returns what still waits and
    how many frames were taken into batches whose answers come after the end of the run.
    """
    frames = together([waiting.frames, *arrived])
    arrive_us_M, place_M = in_order(frames.arrive_us, frames.camera, frames.frame, fleet.cells)
    present = int(np.searchsorted(arrive_us_M, until_us))
    start_us, done_us = np.empty(present, np.int64), np.empty(present, np.int64)
    taken, free_us = run_batches(
        arrive_us_M[:present],
        waiting.free_us,
        until_us,
        batching.max_wait_us,
        with_mixes(batching.service_us_HN, schedule.mixes),
        schedule.head_from_us_W,
        schedule.head_W,
        fleet.duration_us,
        start_us,
        done_us,
        counts.work_PQ[server],
    )
    counts.work_PQ[server, READY_US] = until_us
    # From here on frames stand as they came, which reads memory in one go.
    head_M, done_us_M = _by_frame(place_M, taken, start_us, done_us, schedule.head_from_us_W, schedule.head_W)
    right_M = judged(frames, head_M, done_us_M, fleet, schedule, judge, counts)
    too_late = count_answers(
        frames,
        head_M,
        done_us_M,
        right_M,
        fleet,
        np.array(named, np.int64),
        c.LATENCY_EDGES_US,
        FIRST_BIN_K,
        counts.tallies,
        counts.latency_VB,
    )
    return Waiting(take(frames, place_M[taken:]), int(free_us)), int(too_late)


@compiled()
def _by_frame(place_M, taken, start_us, done_us, head_from_us_W, head_W):
    """What the first `taken` frames in order got, at their places: (head_M, done_us_M)."""
    head_M = np.full(place_M.shape[0], WAITS, np.int16)
    done_us_M = np.empty(place_M.shape[0], np.int64)
    switch = 0
    for m in range(taken):
        while switch + 1 < head_from_us_W.shape[0] and head_from_us_W[switch + 1] <= start_us[m]:
            switch += 1
        head_M[place_M[m]] = head_W[switch]
        done_us_M[place_M[m]] = done_us[m]
    return head_M, done_us_M


@compiled()
def look_up(frames, head_M, fleet, right_VHLF):
    """A bank's judgement of these frames, (M,) bool."""
    right_M = np.zeros(frames.camera.shape[0], np.bool_)
    for m in range(right_M.shape[0]):
        if head_M[m] >= 0:
            scene = scene_of(fleet, frames.camera[m], frames.frame[m], frames.capture_us[m])
            right_M[m] = right_VHLF[frames.version[m], head_M[m], frames.level[m], scene]
    return right_M


@compiled()
def scenes_of(frames, fleet):
    """Which scene each frame shows, (M,) int64."""
    scene_M = np.empty(frames.camera.shape[0], np.int64)
    for m in range(scene_M.shape[0]):
        scene_M[m] = scene_of(fleet, frames.camera[m], frames.frame[m], frames.capture_us[m])
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
def count_answers(
    frames,
    head_M,
    done_us_M,
    right_M,
    fleet,
    named_K,
    edges_us,
    first_bin_K,
    tallies,
    latency_VB,
):
    """Count the answers that come before the end of the run; return how many do not."""
    after_end = 0
    for m in range(done_us_M.shape[0]):
        if head_M[m] < 0:
            continue
        done_us = done_us_M[m]
        if done_us >= fleet.duration_us:
            after_end += 1
            continue
        version, second = frames.version[m], done_us // MICRO
        latency_us = done_us - frames.capture_us[m]
        latency_VB[version, latency_bin(latency_us, edges_us, first_bin_K)] += 1
        right, on_time = np.int64(right_M[m]), np.int64(latency_us <= fleet.deadline_us)
        _add(tallies.by_second_VSC[version, second], right, on_time, latency_us)
        for k in range(named_K.shape[0]):
            if frames.camera[m] % fleet.cells == named_K[k]:
                _add(tallies.cells_KSC[k, second], right, on_time, latency_us)
        if tallies.groups_GSC.shape[0] > 0:
            group = group_of(fleet, frames.camera[m])
            _add(tallies.groups_GSC[group, second], right, on_time, latency_us)
    return after_end


@inlined()
def latency_bin(latency_us, edges_us, first_bin_K):
    """How many edges are below this latency: np.searchsorted(edges_us, latency_us), in few steps."""
    key = (np.float64(latency_us).view(np.int64) >> _UPPER) - _FIRST_KEY
    if key < 0:
        return np.int64(0)
    place = first_bin_K[min(key, first_bin_K.shape[0] - 1)]
    while place < edges_us.shape[0] and edges_us[place] < latency_us:
        place += 1
    return place


@compiled(inline="always")
def _add(count_C, right, on_time, latency_us):
    count_C[c.ANSWERED] += 1
    count_C[c.RIGHT] += right
    count_C[c.RIGHT_ON_TIME] += right * on_time
    count_C[c.ON_TIME] += on_time
    count_C[c.LATENCY_US_SUM] += latency_us
