"""Frames that servers keep to retrain a head on: a hash says which get a label, and which get a wrong one.

Shapes: M frames just answered, K kept.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_LESSON, STREAM_MISTAKE, draw_below
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.sent import Sent, room_for, take, together


@dataclass(frozen=True)
class Lesson:
    """How the frames are chosen that one head is retrained on."""

    frames: int  # the last so many whose labels are in
    labelled_ppm: int  # of the answered frames
    wrong_ppm: int  # of the labels
    delay_us: int  # from an answer to its label


class Kept(NamedTuple):
    """Labelled frames, in order of their answers."""

    frames: Sent
    done_us_K: np.ndarray
    message_K: np.ndarray  # bytes; empty where a bank has them


def nothing_kept() -> Kept:
    """Before the first frame."""
    return Kept(room_for(0), np.zeros(0, np.int64), np.zeros(0, object))


@compiled()
def is_labelled(frames, head_M, seed, labelled_ppm):
    """Which of the frames are answered and get a label, (M,) bool."""
    chosen_M = np.zeros(head_M.shape[0], np.bool_)
    for m in range(head_M.shape[0]):
        if head_M[m] >= 0:
            toss_ppm = draw_below(seed, STREAM_LESSON, frames.camera[m], frames.frame[m], MICRO)
            chosen_M[m] = toss_ppm < labelled_ppm
    return chosen_M


@compiled()
def labels_as_given(frames, right_label_M, seed, wrong_ppm, classes):
    """The labels that come for these frames: some name another class, any of them as likely."""
    label_M = right_label_M.copy()
    for m in range(label_M.shape[0]):
        camera, frame = frames.camera[m], frames.frame[m]
        if draw_below(seed, STREAM_MISTAKE, camera, 2 * frame, MICRO) < wrong_ppm:
            further = 1 + draw_below(seed, STREAM_MISTAKE, camera, 2 * frame + 1, classes - 1)
            label_M[m] = (label_M[m] + further) % classes
    return label_M


def kept_with(kept: Kept, new: Kept) -> Kept:
    """Both, in order of their answers; of one time by camera and frame."""
    frames = together([kept.frames, new.frames])
    done_us_K = np.concatenate([kept.done_us_K, new.done_us_K])
    message_K = np.concatenate([kept.message_K, new.message_K])
    order = np.lexsort((frames.frame, frames.camera, done_us_K))
    return Kept(take(frames, order), done_us_K[order], message_K[order])


def forget(kept: Kept, lesson: Lesson, now_us: int) -> Kept:
    """What may still be wanted at `now_us` or later: the last whose labels are in, and all whose are not."""
    first = max(0, _with_labels(kept, lesson, now_us) - lesson.frames)
    return Kept(take(kept.frames, slice(first, None)), kept.done_us_K[first:], kept.message_K[first:])


def labelled_by(kept: Kept, lesson: Lesson, now_us: int) -> Kept:
    """The last `lesson.frames` of those whose labels are in at `now_us`."""
    last = _with_labels(kept, lesson, now_us)
    which = slice(max(0, last - lesson.frames), last)
    return Kept(take(kept.frames, which), kept.done_us_K[which], kept.message_K[which])


def _with_labels(kept: Kept, lesson: Lesson, now_us: int) -> int:
    return int(np.searchsorted(kept.done_us_K, now_us - lesson.delay_us, side="right"))
