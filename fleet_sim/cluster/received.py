"""The latents of frames that a server has kept, as it decoded them."""

import numpy as np

from fleet_sim.cluster.version import Version
from fleet_sim.engine.lessons import Kept


def as_received(
    kept: Kept, version: Version, scene_K: np.ndarray, images_FHWC: np.ndarray | None
) -> np.ndarray:
    """Ranked latents (K, N) of what was kept, 0 where a neuron was not sent.

    They are read from the kept bytes, or where there are none, in a bank, made from the scenes again, which
    gives the same: coding loses nothing.
    """
    frames, ladder_L = kept.frames, version.tables.ladder_L
    latent_KN = np.zeros((len(scene_K), version.tables.neurons), np.int32)
    for level in np.unique(frames.level):
        here, sent = np.flatnonzero(frames.level == level), int(ladder_L[level])
        if images_FHWC is None:
            latent_KN[here, :sent] = version.read(kept.message_K[here].tolist(), level)
        else:
            scene_S, place_k = np.unique(scene_K[here], return_inverse=True)
            latent_KN[here, :sent] = version.see(images_FHWC[scene_S])[place_k, :sent]
    return latent_KN
