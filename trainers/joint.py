"""The joint loss that the paper sets its two phases against: cross-entropy plus weighted MCR2, at once."""

from collections.abc import Callable

import torch

from fleet_sim.codec.quantiser import add_noise
from fleet_sim.scenario.scenario import Scenario
from trainers.batches import Batches
from trainers.coding_rate import coding_rates
from trainers.losses import cross_entropy
from trainers.networks import Networks, sgd
from trainers.stage import Stage
from trainers.workers import Workers


class Joint(Stage):
    """Encoder, side branch and decoder together by L_CE + lambda L_MCR2, on the noisy latent."""

    name = "joint"

    def __init__(self, scenario: Scenario, networks: Networks, batches: Batches, workers: Workers) -> None:
        spec = scenario.train.joint
        self.epochs, self.learning_rate, self.milestones = spec.epochs, spec.learning_rate, spec.milestones
        self._weight, self._epsilon_squared = spec.weight, scenario.train.duphil.epsilon_squared
        self._half_width = scenario.codec.noise_half_width
        self._networks = networks
        trained = {"encoder": networks.encoder, "side": networks.side, "decoder": networks.decoder}
        super().__init__(
            trained, {n: sgd(net, scenario.train) for n, net in trained.items()}, batches, workers
        )

    def train_epoch(self, sign: Callable[[], None]) -> dict[str, float]:
        """One pass; figures: R, R_c, cross-entropy (nats), share of training answers right; under noise."""
        nets = self._networks
        for network in self.networks.values():
            network.train()
        sums = {name: torch.zeros(()) for name in ("rate", "class_rate", "loss", "accuracy")}
        for batch in self.batches.epoch():
            latent_BN = add_noise(nets.latent(batch.images_BCHW), batch.unit_noise_BN, self._half_width)
            logits_BK = nets.logits(latent_BN)
            rate, class_rate = coding_rates(
                nets.side(latent_BN), batch.labels_B, nets.classes, self._epsilon_squared, self.workers
            )
            loss = cross_entropy(logits_BK, batch.labels_B, batch.global_size)
            self.step(("encoder", "side", "decoder"), loss + self._weight * (class_rate - rate))
            # Every worker has the whole rates; figures are summed over workers.
            sums["rate"] += rate.detach().cpu() / self.workers.size
            sums["class_rate"] += class_rate.detach().cpu() / self.workers.size
            sums["loss"] += loss.detach().cpu()
            sums["accuracy"] += (logits_BK.argmax(dim=1) == batch.labels_B).sum().cpu() / batch.global_size
            sign()
        return self.mean_figures(sums, self.batches.per_epoch)
