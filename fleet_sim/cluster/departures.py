"""How messages of a released encoder and of the one before depart in the field from what is stated of each.

Every scene counts once, and for one of the two: a hash says whether it does where a camera with the released
encoder shows it, or where one with the encoder before does. Of the validation images one half stands beside
the scenes of the one, the other half beside those of the other, each image once and as many for each scene,
coded at the level that the scene came in at. So all four groups are draws that say nothing of each other.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.engine.weighings import NOTHING_WEIGHED, Weighed, among, first_weighed, is_for_canary
from fleet_sim.registry.rollout import Heard


class Encoders(NamedTuple):
    """A released encoder's place, and that of the one before it."""

    released: int
    before: int


class Departures:
    """What is known of one release of an encoder, in place of labels.

    `says_ELnQ`: what both encoders' messages say of n validation images, in an order of chance, at each
    level; `scenes`: how many images cameras may see; `seed` and `release`: which scenes count for which.
    """

    def __init__(self, encoders: Encoders, says_ELnQ: np.ndarray, scenes: int, seed: int, release: int):
        self._encoders, self._seed, self._release = encoders, seed, release
        half = says_ELnQ.shape[2] // 2
        self._stated_ELnQ = (says_ELnQ[0, :, :half], says_ELnQ[1, :, half : 2 * half])
        self._each = max(1, half // max(1, scenes // 2))  # validation images beside a scene
        self._most = half // self._each
        self._heard = NOTHING_WEIGHED

    def hear(self, weighed: Weighed) -> None:
        """Messages that servers weighed, whichever."""
        self._heard = first_weighed(self._heard, among(weighed, np.isin(weighed.version, self._encoders)))

    def known(self, now_us: int) -> Heard:
        """What answers before `now_us` say, all of which were heard; no more once images are used up.

        Scenes of one encoder wait for as many of the other: only together are they evidence.
        """
        in_time = among(self._heard, self._heard.done_us < now_us)
        canary_N = is_for_canary(in_time.scene, self._seed, self._release)
        released_N = in_time.version == self._encoders.released
        sides = [among(in_time, canary_N & released_N), among(in_time, ~canary_N & ~released_N)]
        pairs = min(self._most, *(len(side.scene) for side in sides))
        groups = []
        for side, stated_LnQ in zip(sides, self._stated_ELnQ, strict=True):
            level_n = np.repeat(side.level[:pairs], self._each)
            groups += [_counted(side.says_NQ[:pairs]), _counted(stated_LnQ[level_n, np.arange(len(level_n))])]
        return Heard(canary=pairs, messages_GQ2=np.stack(groups))


def _counted(says_NQ: np.ndarray) -> np.ndarray:
    """(Q, 2): how many there are, and how many say yes."""
    yes_Q = says_NQ.sum(axis=0, dtype=np.int64)
    return np.column_stack([np.full_like(yes_Q, len(says_NQ)), yes_Q])
