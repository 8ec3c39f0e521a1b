"""Answers that two heads give to the same frame, of which each scene counts the first time that it is shown.

A scene shown again is answered as before, so only its first time says something new. Whoever saw some of the
frames passes on the first of each scene; the first of these are the first of all.
"""

from typing import NamedTuple

import numpy as np


class Shown(NamedTuple):
    """N frames that were answered by a released `head` and by the one `before` it."""

    done_us: np.ndarray
    camera: np.ndarray
    frame: np.ndarray
    scene: np.ndarray
    level: np.ndarray
    version: np.ndarray
    head: np.ndarray
    before: np.ndarray
    agree: np.ndarray  # whether both gave the same class


NOTHING_SHOWN = Shown(*[np.zeros(0, np.int64)] * 9)


def among(seen: Shown, which: np.ndarray) -> Shown:
    """Some of the frames, by place or by bool."""
    return Shown(*(column[which] for column in seen))


def first_shown(*parts: Shown) -> Shown:
    """Of each two heads and scene the first frame that was answered, in order of (time, camera, frame)."""
    every = Shown(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    ordered = among(every, np.lexsort((every.frame, every.camera, every.done_us)))
    keys = np.stack([ordered.head, ordered.before, ordered.scene])
    return among(ordered, np.sort(np.unique(keys, axis=1, return_index=True)[1]))
