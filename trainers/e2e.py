"""End-to-end stage: encoder and decoder together by cross-entropy, noise in the place of rounding."""

from collections.abc import Callable

import torch
from torch import Tensor

from fleet_sim.codec.quantiser import add_noise
from fleet_sim.scenario.scenario import Scenario
from trainers.batches import Batches
from trainers.losses import cross_entropy
from trainers.networks import Networks, sgd
from trainers.stage import Stage
from trainers.workers import Workers


class E2e(Stage):
    """Cross-entropy through the whole chain."""

    name = "e2e"

    def __init__(self, scenario: Scenario, networks: Networks, batches: Batches, workers: Workers) -> None:
        spec = scenario.train.e2e
        self.epochs, self.learning_rate, self.milestones = spec.epochs, spec.learning_rate, spec.milestones
        self._networks = networks
        self._half_width = scenario.codec.noise_half_width
        trained = {"encoder": networks.encoder, "decoder": networks.decoder}
        super().__init__(
            trained, {n: sgd(net, scenario.train) for n, net in trained.items()}, batches, workers
        )

    def train_epoch(self, sign: Callable[[], None]) -> dict[str, float]:
        """One pass; figures: mean loss (nats) and share of training answers right, under noise."""
        self._networks.encoder.train()
        self._networks.decoder.train()
        update = self.captured(self._update)
        sums_2 = torch.zeros(2, device=self.batches.device)
        for batch in self.batches.epoch():
            sums_2 += update(batch.images_BCHW, batch.labels_B, batch.unit_noise_BN)
            sign()
        loss, accuracy = sums_2
        return self.mean_figures({"loss": loss, "accuracy": accuracy}, self.batches.per_epoch)

    def _update(self, images_BCHW: Tensor, labels_B: Tensor, unit_noise_BN: Tensor) -> Tensor:
        """One step; this worker's share of loss and accuracy."""
        latent_BN = self._networks.latent(images_BCHW)
        logits_BK = self._networks.logits(add_noise(latent_BN, unit_noise_BN, self._half_width))
        loss = cross_entropy(logits_BK, labels_B, self.batches.batch)
        self.step(("encoder", "decoder"), loss)
        right = (logits_BK.argmax(dim=1) == labels_B).sum()
        return torch.stack([loss.detach(), right / self.batches.batch])
