"""Ordered stage: one set of weights for every rate, few bits for each.

The bottleneck is first turned so that its neurons come in order of what they tell about the class
(`trainers.basis`). Then encoder and decoder learn together. The decoder sees each image twice: whole, and cut
to a random level of the ladder with pruned neurons at their mean; values are rounded as deployed, and the
gradient passes as if they were not. Bits are part of the loss, in the mean over levels:

    loss = mean of cross-entropy, whole and at a random level + rate_weight * mean of bits over levels

So the first neurons, which every level sends, learn to tell the most, and a neuron that is not worth its bits
falls silent. The encoder keeps its size.

Shapes: B batch, N neurons, L levels, K classes.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fleet_sim.codec.camera import raw_latents
from fleet_sim.scenario.scenario import Scenario
from trainers.basis import change_basis, discriminant_basis
from trainers.batches import Batches
from trainers.checkpoint import Checkpoint
from trainers.losses import cross_entropy
from trainers.networks import Networks, sgd
from trainers.rate import RunningHistogram
from trainers.stage import Stage
from trainers.workers import Workers


def trained_ranking(scenario: Scenario, recipe: str) -> NDArray[np.int64] | None:
    """The order of neurons that `recipe` trained its encoder to; None where it is for the tables to find."""
    return np.arange(scenario.codec.neurons) if recipe == "ordered" else None


class Ordered(Stage):
    """Cross-entropy and bits at random levels."""

    name = "ordered"

    def __init__(self, scenario: Scenario, networks: Networks, batches: Batches, workers: Workers) -> None:
        spec = scenario.train.ordered
        self.epochs, self.learning_rate, self.milestones = spec.epochs, spec.learning_rate, spec.milestones
        self._rate_weight = spec.rate_weight
        self._codec, self._device = scenario.codec, batches.device
        self._networks = networks
        self._ladder_L = torch.tensor(scenario.codec.ladder, device=self._device)
        self._place_N = torch.arange(scenario.codec.neurons, device=self._device)
        self._share_sent_N = (self._place_N[:, None] < self._ladder_L).float().mean(dim=1)
        self.histogram = RunningHistogram(scenario.codec.neurons, self._device)
        trained = {"encoder": networks.encoder, "decoder": networks.decoder}
        super().__init__(
            trained, {n: sgd(net, scenario.train) for n, net in trained.items()}, batches, workers
        )

    def begin(self) -> None:
        """Turn the bottleneck and count the values that it has then."""
        encoder, decoder = self._networks.encoder, self._networks.decoder
        images_MHWC = self.batches.images_NHWC.cpu().numpy()
        latent_MN = raw_latents(encoder, self._codec, images_MHWC, str(self._device))
        basis_NN = discriminant_basis(latent_MN, self.batches.labels_N.cpu().numpy())
        change_basis(encoder, decoder, basis_NN)
        turned_MN = torch.from_numpy((latent_MN @ basis_NN.T).astype("float32"))
        self.histogram.set(turned_MN.to(self._device))

    def train_epoch(self, sign: Callable[[], None]) -> dict[str, float]:
        """One pass; figures: mean loss (nats), share of answers right, bits a frame; over the levels."""
        self._networks.encoder.train()
        self._networks.decoder.train()
        update = self.captured(self._update)
        sums_3 = torch.zeros(3, device=self.batches.device)
        for batch in self.batches.epoch():
            sums_3 += update(batch.images_BCHW, batch.labels_B, batch.unit_noise_BN)
            sign()
        loss, accuracy, bits = sums_3
        return self.mean_figures({"loss": loss, "accuracy": accuracy, "bits": bits}, self.batches.per_epoch)

    def _update(self, images_BCHW: Tensor, labels_B: Tensor, unit_noise_BN: Tensor) -> Tensor:
        """One step; this worker's share of loss, accuracy and bits."""
        total = self.batches.batch
        latent_BN = self._networks.latent(images_BCHW)
        self.histogram.update(latent_BN, total, self.workers)
        rounded_BN = round_through(latent_BN)
        kept_BN = self._place_N < self._random_kept_B(unit_noise_BN)[:, None]
        pruned_BN = torch.where(kept_BN, rounded_BN, self.histogram.mean_N)
        logits_2BK = self._networks.logits(torch.cat([rounded_BN, pruned_BN]))
        labels_2B = labels_B.repeat(2)
        bits = (self.histogram.bits(latent_BN) @ self._share_sent_N).sum() / total
        loss = cross_entropy(logits_2BK, labels_2B, 2 * total) + self._rate_weight * bits
        self.step(("encoder", "decoder"), loss)
        right = (logits_2BK.argmax(dim=1) == labels_2B).sum()
        return torch.stack([loss.detach(), right / (2 * total), bits.detach()])

    def _random_kept_B(self, unit_noise_BN: Tensor) -> Tensor:
        """Kept neurons of each row at a level drawn from its first draw: rounding takes no noise."""
        level_B = (unit_noise_BN[:, 0] * len(self._ladder_L)).long()
        return self._ladder_L[level_B]

    def state(self, history: tuple[dict[str, float], ...], cpu_s: float) -> Checkpoint:
        """The histogram too."""
        saved = super().state(history, cpu_s)
        saved.tensors["histogram"] = {"share_NV": self.histogram.share_NV}
        return saved

    def restore(self, saved: Checkpoint) -> None:
        """The histogram too."""
        super().restore(saved)
        self.histogram.share_NV.copy_(saved.tensors["histogram"]["share_NV"])


def round_through(latent_BN: Tensor) -> Tensor:
    """Nearest whole numbers, with the gradient of the values themselves (Bengio et al. 2013)."""
    return latent_BN + (latent_BN.round() - latent_BN).detach()
