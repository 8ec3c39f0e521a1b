"""How often a released head and the one before it agree in the field, beside what validation images say.

Every scene that cameras of the canary show counts once. Beside it stand validation images that were not used
before, as many for each scene, under the encoder and at the level that the scene came in at. Where scenes
and validation images are alike, both are draws of the agreement of the same heads at the same levels: to a
guard they are what labels of canary and control are.
"""

import numpy as np

from fleet_sim.engine.shadows import NOTHING_SHOWN, Shown, among, first_shown
from fleet_sim.registry.rollout import Heard


class Agreement:
    """What is known of one release of a head, in place of labels.

    `pair`: places of the released head and of the one before it; `agree_VLn`: on which of n validation
    images, in an order of chance, they agree under each encoder at each level; `scenes`: how many images
    cameras may see.
    """

    def __init__(self, pair: tuple[int, int], agree_VLn: np.ndarray, scenes: int):
        self._pair, self._agree_VLn = pair, agree_VLn
        self._each = max(1, agree_VLn.shape[2] // scenes)  # validation images beside a scene
        self._heard = NOTHING_SHOWN
        self._scenes, self._scenes_agree, self._images_agree = np.zeros(0, np.int64), 0, 0

    def hear(self, seen: Shown) -> None:
        """Frames that two heads answered, whichever."""
        ours = (seen.head == self._pair[0]) & (seen.before == self._pair[1])
        self._heard = first_shown(self._heard, among(seen, ours))

    def known(self, now_us: int) -> Heard:
        """What answers before `now_us` say, all of which were heard; no more once images are used up."""
        in_time = self._heard.done_us < now_us
        fresh = among(self._heard, in_time & ~np.isin(self._heard.scene, self._scenes))
        self._heard = among(self._heard, ~in_time)
        used, images = self._each * len(self._scenes), self._agree_VLn.shape[2]
        fresh = among(fresh, np.arange(min(len(fresh.scene), (images - used) // self._each)))
        beside_n = used + np.arange(self._each * len(fresh.scene))
        self._scenes_agree += int(fresh.agree.sum())
        version_n, level_n = (np.repeat(of, self._each) for of in (fresh.version, fresh.level))
        self._images_agree += int(self._agree_VLn[version_n, level_n, beside_n].sum())
        self._scenes = np.append(self._scenes, fresh.scene)
        scenes = len(self._scenes)
        return Heard(scenes, self._scenes_agree, self._each * scenes, self._images_agree)
