"""What cameras send; knows no torch, so that shards need none."""

from typing import NamedTuple

import numpy as np

from fleet_sim.codec import pictures
from fleet_sim.scenario import Scenario

LATENT, LABEL = "latent", "label"


class Sends(NamedTuple):
    """A codec, and for labels the place of the head that cameras run."""

    codec: str = LATENT
    head: int = 0


LATENTS = Sends()


def sends_of(point: Scenario) -> Sends:
    """What the cameras of a sweep point send."""
    heads = [head.name for head in point.train.heads]
    codec = point.camera.codec
    return Sends(codec, heads.index(point.serving.head) if codec == LABEL else 0)


def mean_payload_bits(sends: Sends, trained_on_MHWC: np.ndarray) -> np.ndarray:
    """What a camera expects each level of what is no latent to take, (L,): the mean over training images."""
    if sends.codec == LABEL:
        return np.array([8], np.int64)
    return pictures.mean_payload_bits(sends.codec, trained_on_MHWC)
