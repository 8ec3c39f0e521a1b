"""What servers see of an encoder by its messages, of which each scene counts the first time it is shown.

Three yes-or-no quantities of a message, one for each chart of the alarm (`serving.alarm`): it takes no more
bits than its encoder's tables expect at its level, no fewer, and no value of it is outside the tables.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_SIDE, draw_below
from fleet_sim.engine.sent import Sent

QUANTITIES = 3
NOTHING_SAID = np.zeros((0, 0, QUANTITIES), np.bool_)  # at no level of no image


class Weighed(NamedTuple):
    """N messages that were answered, and what they say to each of Q quantities."""

    done_us: np.ndarray
    camera: np.ndarray
    frame: np.ndarray
    scene: np.ndarray
    level: np.ndarray
    version: np.ndarray
    says_NQ: np.ndarray  # bool


_NONE = np.zeros(0, np.int64)
NOTHING_WEIGHED = Weighed(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, np.zeros((0, QUANTITIES), np.bool_))


def says(millibits: np.ndarray, escaped: np.ndarray, expected_millibits: np.ndarray) -> np.ndarray:
    """Yes or no to each quantity, bool, along a new last axis; shapes as numpy broadcasts them."""
    no_more, no_fewer = millibits <= expected_millibits, millibits >= expected_millibits
    return np.stack([no_more, no_fewer, ~escaped], axis=-1)


def weighed_of(
    frames: Sent,
    head_M: np.ndarray,
    done_us_M: np.ndarray,
    scene_M: np.ndarray,
    says_MQ: np.ndarray,
) -> Weighed:
    """Of the frames that were answered the first of each version and scene."""
    versions, scenes = frames.version.max(initial=-1) + 1, scene_M.max(initial=-1) + 1
    place_VF = np.full((versions, scenes), -1, np.int64)
    _find_first(frames, head_M, done_us_M, scene_M, place_VF)
    first_n = place_VF[place_VF >= 0]
    columns = (done_us_M, frames.camera, frames.frame, scene_M, frames.level, frames.version, says_MQ)
    return Weighed(*(column[first_n] for column in columns))


def among(heard: Weighed, which: np.ndarray) -> Weighed:
    """Some of the messages, by place or by bool."""
    return Weighed(*(column[which] for column in heard))


def first_weighed(*parts: Weighed) -> Weighed:
    """Of each version and scene the first, in order of (time, camera, frame)."""
    every = Weighed(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    ordered = among(every, np.lexsort((every.frame, every.camera, every.done_us)))
    key = ordered.version.astype(np.int64) * (ordered.scene.max(initial=0) + 1) + ordered.scene
    return among(ordered, np.sort(np.unique(key, return_index=True)[1]))


@compiled()
def is_for_canary(scene_N, seed, release):
    """Which scenes count only where the release's canary shows them, (N,) bool; others count elsewhere."""
    chosen_N = np.empty(scene_N.shape[0], np.bool_)
    for n in range(scene_N.shape[0]):
        chosen_N[n] = draw_below(seed, STREAM_SIDE, scene_N[n], release, 2) == 0
    return chosen_N


@compiled()
def _find_first(frames, head_M, done_us_M, scene_M, place_VF):
    for m in range(head_M.shape[0]):
        if head_M[m] < 0:
            continue
        now = place_VF[frames.version[m], scene_M[m]]
        key = (done_us_M[m], frames.camera[m], frames.frame[m])
        if now < 0 or key < (done_us_M[now], frames.camera[now], frames.frame[now]):
            place_VF[frames.version[m], scene_M[m]] = m
