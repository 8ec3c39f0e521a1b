"""Heads side by side under live traffic: which one reads a camera, and what the answers of each count as."""

from collections.abc import Callable

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_LABEL, STREAM_WRONG_LABEL, draw_below
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet, Mixes, Schedule
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.sent import Sent

NO_HEAD = -1

Judge = Callable[[Sent, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(frames, place of the head that answers each, or WAITS or SHED, that of the last of its mix where this is
another one, else NO_HEAD, and when) -> (M,) bool: was the answer right?

What it says of a frame that has no answer is not read.
"""


def judged(
    frames: Sent,
    head_M: np.ndarray,
    done_us_M: np.ndarray,
    fleet: Fleet,
    schedule: Schedule,
    judge: Judge,
    counts: Counts,
) -> np.ndarray:
    """Was each answer right, (M,) bool, of the head that reads the camera; counted by head.

    In head_M the real heads are put in place of mixes, and of heads that do not read a frame's version.
    """
    otherwise_M = np.full(len(head_M), NO_HEAD, np.int16)
    if len(schedule.mixes.head_IA):
        by_camera(head_M, otherwise_M, frames.camera, fleet.seed, len(counts.by_head_HC), schedule.mixes)
    if schedule.reads_VH.size:
        answered_m = np.flatnonzero(head_M >= 0)
        head_M[answered_m] = schedule.reads_VH[frames.version[answered_m], head_M[answered_m]]
    right_M = judge(frames, head_M, otherwise_M, done_us_M)
    count_heads(head_M, frames.capture_us, done_us_M, right_M, fleet, counts.by_head_HC)
    if counts.answers_GVHS3.size:
        count_labels(frames, head_M, done_us_M, right_M, fleet, counts.answers_GVHS3)
    return right_M


def with_mixes(service_us_HN: np.ndarray, mixes: Mixes) -> np.ndarray:
    """Service times of H heads and of I mixes, (H + I, N): a batch of a mix takes what its slowest does."""
    mixed_us_IN = service_us_HN[mixes.head_IA].max(axis=1)
    return np.concatenate([service_us_HN, mixed_us_IN])


@compiled()
def by_camera(head_M, otherwise_M, camera_M, seed, heads, mixes):
    """Put in place of mix i, which is `heads` + i in head_M, the head that reads the camera.

    Into otherwise_M goes the last head of the mix where another one reads the camera.
    """
    for m in range(head_M.shape[0]):
        i = head_M[m] - heads
        if i >= 0:
            toss_ppm = draw_below(seed, mixes.stream_I[i], camera_M[m], mixes.counter_I[i], MICRO)
            place = 0
            while mixes.below_ppm_IA[i, place] <= toss_ppm:
                place += 1
            head_M[m] = mixes.head_IA[i, place]
            if place + 1 < mixes.head_IA.shape[1]:
                otherwise_M[m] = mixes.head_IA[i, -1]


@compiled()
def count_heads(head_M, capture_us_M, done_us_M, right_M, fleet, by_head_HC):
    """Count into by_head_HC, counts.HEAD_COLUMNS, the answers that come before the end of the run."""
    for m in range(head_M.shape[0]):
        if head_M[m] >= 0 and done_us_M[m] < fleet.duration_us:
            on_time = np.int64(done_us_M[m] - capture_us_M[m] <= fleet.deadline_us)
            count_C = by_head_HC[head_M[m]]
            count_C[0] += 1
            count_C[1] += np.int64(right_M[m])
            count_C[2] += np.int64(right_M[m]) * on_time


@compiled()
def count_labels(frames, head_M, done_us_M, right_M, fleet, answers_GVHS3):
    """Count into answers_GVHS3 the answers before the end of the run, their labels, and how many say right.

    Whether an answer gets a label is drawn by its frame, whatever the answer; wrong ones say the opposite.
    """
    groups = answers_GVHS3.shape[0]
    for m in range(head_M.shape[0]):
        if head_M[m] < 0 or done_us_M[m] >= fleet.duration_us:
            continue
        camera, frame = frames.camera[m], frames.frame[m]
        group = group_of(fleet, camera) if groups > 1 else 0
        count_3 = answers_GVHS3[group, frames.version[m], head_M[m], done_us_M[m] // MICRO]
        count_3[0] += 1
        if draw_below(fleet.seed, STREAM_LABEL, camera, frame, MICRO) < fleet.labelled_ppm:
            wrong = draw_below(fleet.seed, STREAM_WRONG_LABEL, camera, frame, MICRO) < fleet.wrong_labels_ppm
            count_3[1] += 1
            count_3[2] += np.int64(right_M[m] != wrong)
