"""Heads side by side under live traffic: which one reads a camera, and what the answers of each count as."""

from collections.abc import Callable

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_SPLIT, draw_below
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.engine.sent import Sent

Judge = Callable[[Sent, np.ndarray], np.ndarray]
"""(frames, place of the head that answers each, or WAITS or SHED) -> (M,) bool: was the answer right?

What it says of a frame that has no answer is not read.
"""


def judged(
    frames: Sent,
    head_M: np.ndarray,
    done_us_M: np.ndarray,
    fleet: Fleet,
    schedule: Schedule,
    judge: Judge,
    by_head_HC: np.ndarray,
) -> np.ndarray:
    """Was each answer right, (M,) bool, of the head that reads the camera; counted into by_head_HC.

    In head_M the real heads are put in place of a split.
    """
    if len(schedule.split_head_A):
        by_camera(
            head_M,
            frames.camera,
            fleet.seed,
            len(by_head_HC),
            schedule.split_below_ppm_A,
            schedule.split_head_A,
        )
    right_M = judge(frames, head_M)
    count_heads(head_M, frames.capture_us, done_us_M, right_M, fleet, by_head_HC)
    return right_M


@compiled()
def by_camera(head_M, camera_M, seed, split, below_ppm_A, head_A):
    """Put in place of `split` in head_M the head that reads the camera: a camera keeps its head.

    below_ppm_A: rising, the last a million; a camera whose draw is below one and not below the one before it
    is read by that one of head_A.
    """
    for m in range(head_M.shape[0]):
        if head_M[m] == split:
            toss_ppm = draw_below(seed, STREAM_SPLIT, camera_M[m], 0, MICRO)
            place = 0
            while below_ppm_A[place] <= toss_ppm:
                place += 1
            head_M[m] = head_A[place]


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
