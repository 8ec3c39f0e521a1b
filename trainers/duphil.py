"""Dual-phase hierarchical learning (DuPHiL): MCR2 for the encoder, then cross-entropy for the decoder.

Phase 1 trains encoder and side branch on the noisy latent. Phase 2 freezes the encoder whole: evaluation
mode, so batch statistics stand still, hard rounding as deployed, and no gradient passes.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fleet_sim.codec.quantiser import add_noise, round_latent
from fleet_sim.scenario.scenario import Scenario
from trainers.batches import Batch, Batches
from trainers.coding_rate import coding_rates
from trainers.losses import cross_entropy
from trainers.networks import Networks, sgd
from trainers.stage import Stage
from trainers.workers import Workers


class Duphil(Stage):
    """Both phases on every image in each epoch, alternating after each batch or after the whole pass."""

    name = "duphil"

    def __init__(self, scenario: Scenario, networks: Networks, batches: Batches, workers: Workers) -> None:
        spec = scenario.train.duphil
        self.epochs, self.learning_rate, self.milestones = spec.epochs, spec.learning_rate, spec.milestones
        self._spec, self._classes = spec, networks.classes
        self._half_width = scenario.codec.noise_half_width
        self._networks = networks
        trained = {"encoder": networks.encoder, "side": networks.side, "decoder": networks.decoder}
        super().__init__(
            trained, {n: sgd(net, scenario.train) for n, net in trained.items()}, batches, workers
        )

    def train_epoch(self, sign: Callable[[], None]) -> dict[str, float]:
        """One pass of each phase; figures: R and R_c of phase 1, loss (nats all) and accuracy of phase 2."""
        device = self.batches.device
        sums = {name: torch.zeros((), device=device) for name in ("rate", "class_rate", "loss", "accuracy")}
        if self._spec.alternate == "batch":
            for batch in self.batches.epoch():
                self.phase1(batch, sums)
                self.phase2(batch, sums)
                sign()
        else:
            for phase in (self.phase1, self.phase2):
                for batch in self.batches.epoch():
                    phase(batch, sums)
                    sign()
        return self.mean_figures(sums, self.batches.per_epoch)

    def phase1(self, batch: Batch, sums: dict[str, Tensor]) -> None:
        """One step of encoder and side branch towards a larger coding rate reduction."""
        self._networks.encoder.train()
        self._networks.side.train()
        latent_BN = self._networks.latent(batch.images_BCHW)
        z_BD = self._networks.side(add_noise(latent_BN, batch.unit_noise_BN, self._half_width))
        rate, class_rate = coding_rates(
            z_BD, batch.labels_B, self._classes, self._spec.epsilon_squared, self.workers
        )
        self.step(("encoder", "side"), class_rate - rate)
        # Every worker has the whole rates; figures are summed over workers.
        sums["rate"] += rate.detach() / self.workers.size
        sums["class_rate"] += class_rate.detach() / self.workers.size

    def phase2(self, batch: Batch, sums: dict[str, Tensor]) -> None:
        """One step of the decoder on the latents of the frozen encoder."""
        self._networks.encoder.eval()
        self._networks.decoder.train()
        with torch.no_grad():
            latent_BN = round_latent(self._networks.latent(batch.images_BCHW))
        logits_BK = self._networks.logits(latent_BN)
        loss = cross_entropy(logits_BK, batch.labels_B, batch.global_size)
        self.step(("decoder",), loss)
        sums["loss"] += loss.detach()
        sums["accuracy"] += (logits_BK.argmax(dim=1) == batch.labels_B).sum() / batch.global_size
