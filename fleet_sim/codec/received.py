"""What servers have of frames that were answered and labelled: what a head can be retrained on.

Shapes: M frames, N neurons in ranked order.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.tables import Tables, fill

LEAST_FRAMES, LEAST_CLASSES = 10, 2  # that a head can be fitted to


@dataclass(frozen=True)
class Received:
    """Latents as they were decoded, each at the level it came at, and labels that may be wrong."""

    done_us_M: NDArray[np.int64]  # when each was answered
    camera_M: NDArray[np.int32]
    frame_M: NDArray[np.int32]
    level_M: NDArray[np.int8]
    label_M: NDArray[np.int64]
    latent_MN: NDArray[np.int32]  # 0 where a neuron was not sent

    @property
    def classes(self) -> int:
        """How many classes there are among the labels."""
        return len(np.unique(self.label_M))

    @property
    def suffices(self) -> bool:
        """Whether a head can be fitted to it."""
        return len(self.label_M) >= LEAST_FRAMES and self.classes >= LEAST_CLASSES

    def digest(self) -> str:
        """SHA-256 (hex) of levels, labels and latents, in order."""
        whole = hashlib.sha256(f"{self.latent_MN.shape}".encode())
        for array in (self.level_M, self.label_M, self.latent_MN):
            whole.update(np.ascontiguousarray(array, "<i4").tobytes())
        return whole.hexdigest()

    def filled(self, tables: Tables) -> NDArray[np.float32]:
        """What a head reads of each, (M, N) in the encoder's order: neurons not sent have their mean."""
        whole_MN = np.empty(self.latent_MN.shape, np.float32)
        for level in np.unique(self.level_M):
            of_level = self.level_M == level
            whole_MN[of_level] = fill(self.latent_MN[of_level, : tables.ladder_L[level]], tables)
        return whole_MN


def newest(parts: Sequence[Received], most: int) -> Received:
    """The `most` frames answered last, in order of their answers; of one time by camera and frame."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Received.__dataclass_fields__
    }
    order = np.lexsort((columns["frame_M"], columns["camera_M"], columns["done_us_M"]))[-most:]
    return Received(**{name: column[order] for name, column in columns.items()})
