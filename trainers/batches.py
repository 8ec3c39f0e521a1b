"""Mini-batches: order, augmentation and noise of one stage, all from one generator.

Every worker draws for the whole global batch and keeps its own rows, so the draws do not depend on how many
workers there are, and one generator's state tells where all of them stand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from fleet_sim.basics.errors import UserError
from fleet_sim.data import Dataset
from fleet_sim.scenario.scenario import Scenario
from trainers.augment import augment
from trainers.workers import Workers


@dataclass(frozen=True)
class Batch:
    """One worker's rows of a global batch of `global_size`."""

    images_BCHW: Tensor
    """Pixels in [0, 1], augmented."""
    labels_B: Tensor
    unit_noise_BN: Tensor
    """Uniform in [0, 1), one draw a neuron."""
    global_size: int


class Batches:
    """The training images on the device, handed out in random order; a last, smaller batch is left out.

    All of them, un-augmented: `images_NHWC` (uint8) with `labels_N`.
    """

    def __init__(
        self,
        scenario: Scenario,
        dataset: Dataset,
        batch: int,
        generator: torch.Generator,
        workers: Workers,
        device: torch.device,
    ) -> None:
        self.device = device
        self.images_NHWC = torch.from_numpy(dataset.train_images_NHWC).to(device)
        self.labels_N = torch.from_numpy(dataset.train_labels_N).to(device)
        self._padding, self._flip = scenario.train.crop_padding, scenario.train.flip
        self._neurons = scenario.codec.neurons
        self._workers = workers
        self.generator = generator
        count = len(dataset.train_labels_N)
        self.batch = min(batch, count - count % workers.size)
        if self.batch // max(workers.size, 1) < 2:
            raise UserError(f"{count} training images are too few for {workers.size} workers")
        self.per_epoch = count // self.batch

    def epoch(self) -> Iterator[Batch]:
        """One pass over the images in a new random order."""
        order_N = torch.randperm(len(self.labels_N), generator=self.generator).to(self.device)
        share = self.batch // self._workers.size
        mine = slice(self._workers.rank * share, (self._workers.rank + 1) * share)
        for start in range(0, self.per_epoch * self.batch, self.batch):
            index_B = order_N[start : start + self.batch]
            images_BHWC = augment(self.images_NHWC[index_B], self._padding, self._flip, self.generator)
            noise_BN = torch.rand(self.batch, self._neurons, generator=self.generator)
            yield Batch(
                images_BCHW=images_BHWC[mine].permute(0, 3, 1, 2).float().div(255).contiguous(),
                labels_B=self.labels_N[index_B[mine]],
                unit_noise_BN=noise_BN[mine].to(self.device),
                global_size=self.batch,
            )
