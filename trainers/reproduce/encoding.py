"""A trained encoder's latents of all images, computed once.

Shapes: M images, N neurons in the encoder's order.
"""

import time
from dataclasses import dataclass, field

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from fleet_sim.codec.batches import load_frozen
from fleet_sim.codec.camera import raw_latents
from fleet_sim.codec.networks import build_encoder
from fleet_sim.codec.tables import Tables
from fleet_sim.data import Dataset
from trainers import checkpoint
from trainers.ordered import trained_ranking
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train, saved_weights
from trainers.sameness import deterministic

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Encode(Step):
    """Rounded latents of the un-augmented training, validation and test images."""

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Whose latents they are."""
        return f"latents of {self.trained.title}"

    @property
    def needs(self) -> tuple[Step, ...]:
        """The encoder."""
        return (self.trained,)

    def run(self, store: Store, progress: Progress) -> Record:
        """Encode every image as a camera does."""
        began_s = time.process_time()
        scenario = self.subject.scenario
        with deterministic(scenario.train.threads):
            dataset = self.subject.dataset()
            weights = saved_weights(store, self.trained, "encoder")
            encoder = load_frozen(build_encoder(scenario.codec), weights, scenario.train.device)
            arrays = {}
            for done, split in enumerate(SPLITS):
                images_MHWC = getattr(dataset, f"{split}_images_NHWC")
                raw_MN = raw_latents(encoder, scenario.codec, images_MHWC, scenario.train.device)
                arrays[f"{split}_MN"] = np.rint(raw_MN).astype(np.int32)
                progress(f"{split} images", done + 1, len(SPLITS), {})
        checkpoint.write(store.tensors(self), safetensors.numpy.save(arrays))
        return {"figures": {}, "cpu_s": time.process_time() - began_s}


@dataclass(frozen=True)
class Encoded:
    """Rounded latents by split, with the tables that the training latents give."""

    train_MN: NDArray[np.int32]
    validation_MN: NDArray[np.int32]
    test_MN: NDArray[np.int32]
    tables: Tables


def read_encoded(store: Store, step: Encode, dataset: Dataset) -> Encoded:
    """What `step` left, with tables for the ladder of its settings and the order of its recipe."""
    latents = safetensors.numpy.load_file(store.tensors(step))
    scenario = step.subject.scenario
    ranking_N = trained_ranking(scenario, step.trained.recipe)
    tables = Tables.fit(latents["train_MN"], dataset.train_labels_N, scenario.codec.ladder, ranking_N)
    return Encoded(**latents, tables=tables)
