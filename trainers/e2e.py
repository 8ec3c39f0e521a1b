"""End-to-end stage: encoder and decoder together by cross-entropy, noise in the place of rounding."""

from collections.abc import Callable

import torch

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
        sums = {"loss": torch.zeros(()), "accuracy": torch.zeros(())}
        for batch in self.batches.epoch():
            latent_BN = self._networks.latent(batch.images_BCHW)
            noisy_BN = add_noise(latent_BN, batch.unit_noise_BN, self._half_width)
            logits_BK = self._networks.logits(noisy_BN)
            loss = cross_entropy(logits_BK, batch.labels_B, batch.global_size)
            self.step(("encoder", "decoder"), loss)
            right = (logits_BK.argmax(dim=1) == batch.labels_B).sum()
            sums["loss"] += loss.detach().cpu()
            sums["accuracy"] += right.cpu() / batch.global_size
            sign()
        return self.mean_figures(sums, self.batches.per_epoch)
