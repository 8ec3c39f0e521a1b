"""Accuracy against bits by pruning neurons of one trained model, as the paper's figure 2.

Shapes: M images, N neurons, F pooled features before the last layer, K classes, L levels.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fleet_sim.codec.batches import load_frozen
from fleet_sim.codec.message import HEADER_BYTES, encode_batch, ideal_millibits
from fleet_sim.codec.networks import Decoder, build_decoder
from fleet_sim.codec.tables import Tables, fill
from trainers.reproduce.encoding import Encode, Encoded, read_encoded
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train, saved_weights
from trainers.sameness import deterministic, draws

TUNING_EPOCHS, TUNING_RATE, TUNING_BATCH = 10, 1e-5, 200
"""How the authors fine-tune the last layer after pruning."""
REFIT_RATE = 0.01
"""The same with a rate at which the layer really learns: a stronger opponent for what goes beyond."""
TUNING_IMAGES = 10_000
"""At most so many training images, evenly spaced, tune it: their features must be computed at every level."""
_FEATURE_BATCH = 500


@dataclass(frozen=True)
class Curve(Step):
    """At each level: bits a frame, and test accuracy under three ways of reading a pruned latent.

    `pruned`: zeros for pruned neurons, the decoder as trained. `tuned`: then the last layer fine-tuned as the
    authors do. `refitted`: means in place of zeros, and the last layer fine-tuned at a higher rate.
    """

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Whose curve it is."""
        return f"pruning curve of {self.trained.title}"

    @property
    def encoded(self) -> Encode:
        """The latents it reads."""
        return Encode(self.subject, trained=self.trained)

    @property
    def needs(self) -> tuple[Step, ...]:
        """The latents, and the decoder."""
        return (self.encoded, self.trained)

    @property
    def settings(self) -> dict[str, Any]:
        """Where along the curve, and how the last layer is tuned."""
        scenario = self.subject.scenario
        return {
            "ladder": list(scenario.codec.ladder),
            "tuning": [TUNING_EPOCHS, TUNING_RATE, TUNING_BATCH, REFIT_RATE, TUNING_IMAGES],
            "momentum": scenario.train.momentum,
            "link_header_bytes": scenario.link.header_bytes,
        }

    @property
    def cost(self) -> float:
        """About as much as three passes of training."""
        return 3.0

    def run(self, store: Store, progress: Progress) -> Record:
        """Code every test image at every level and classify what arrives."""
        began_s = time.process_time()
        scenario = self.subject.scenario
        dataset = self.subject.dataset()
        encoded = read_encoded(store, self.encoded, dataset)
        wire_header_bits = 8 * (HEADER_BYTES + scenario.link.header_bytes)
        levels = []
        with deterministic(scenario.train.threads):
            weights = saved_weights(store, self.trained, "decoder")
            decoder = build_decoder(scenario.codec, len(dataset.class_names))
            load_frozen(decoder, weights, scenario.train.device)
            reader = _Reader(decoder, encoded, dataset.train_labels_N, scenario.seed, scenario.train.momentum)
            for level, bits in enumerate(bits_by_level(encoded.test_MN, encoded.tables)):
                answers = reader.answers(level)
                right = {name: float((a == dataset.test_labels_N).mean()) for name, a in answers.items()}
                levels.append(
                    bits | {"wire_bits": bits["payload_bits"] + wire_header_bits, "accuracy": right}
                )
                progress("level", level + 1, len(encoded.tables.ladder_L), {})
        return {"figures": {"levels": levels}, "cpu_s": time.process_time() - began_s}


def bits_by_level(latent_MN: NDArray[np.int32], tables: Tables) -> list[dict[str, Any]]:
    """Mean bits a frame at each level: ideal (-log2 p) and payload (sealed bytes times 8)."""
    ranked_MN, sequence_M = latent_MN[:, tables.ranking_N], np.arange(len(latent_MN))
    ideal_L = ideal_millibits(ranked_MN, tables).mean(axis=0) / 1000

    def payload_bits(level: int) -> float:
        messages = encode_batch(ranked_MN, level, tables, 0, sequence_M)
        return 8 * float(np.mean([len(message) - HEADER_BYTES for message in messages]))

    return [
        {
            "neurons": int(kept),
            "ideal_bits": float(ideal_L[level]),
            "payload_bits": payload_bits(level),
        }
        for level, kept in enumerate(tables.ladder_L)
    ]


class _Reader:
    """One decoder and the three ways in which it reads a pruned latent."""

    def __init__(
        self, decoder: Decoder, encoded: Encoded, labels_M: NDArray[np.int64], seed: int, momentum: float
    ) -> None:
        self._decoder, self._tables, self._test_MN = decoder, encoded.tables, encoded.test_MN
        self._device = next(decoder.parameters()).device
        spaced = slice(None, None, -(-len(labels_M) // TUNING_IMAGES))
        self._tuning_MN = encoded.train_MN[spaced]
        self._labels_M = torch.from_numpy(labels_M[spaced].copy()).to(self._device)
        self._seed, self._momentum = seed, momentum

    def answers(self, level: int) -> dict[str, NDArray[np.int64]]:
        """Classes of the test images by way."""
        kept = int(self._tables.ladder_L[level])
        zeroed_MF = self._features(self._zeroed(self._test_MN, kept))
        tuned = self._tuned(self._features(self._zeroed(self._tuning_MN, kept)), TUNING_RATE)
        filled_MF = self._features(self._filled(self._test_MN, kept))
        refitted = self._tuned(self._features(self._filled(self._tuning_MN, kept)), REFIT_RATE)
        found = {
            "pruned": self._decoder.classifier.linear(zeroed_MF),
            "tuned": tuned(zeroed_MF),
            "refitted": refitted(filled_MF),
        }
        return {name: logits_MK.argmax(dim=1).cpu().numpy() for name, logits_MK in found.items()}

    def _zeroed(self, latent_MN: NDArray[np.int32], kept: int) -> NDArray[np.float32]:
        whole_MN = latent_MN.astype(np.float32)
        whole_MN[:, self._tables.ranking_N[kept:]] = 0
        return whole_MN

    def _filled(self, latent_MN: NDArray[np.int32], kept: int) -> NDArray[np.float32]:
        return fill(latent_MN[:, self._tables.ranking_N[:kept]], self._tables)

    def _features(self, whole_MN: NDArray[np.float32]) -> Tensor:
        """What the last layer sees, (M, F)."""
        module3 = self._decoder.classifier.module3
        with torch.no_grad():
            return torch.cat(
                [
                    module3(self._decoder.latent_decoder(batch_BN.to(self._device))).mean(dim=(2, 3))
                    for batch_BN in torch.split(torch.from_numpy(whole_MN), _FEATURE_BATCH)
                ]
            )

    def _tuned(self, train_MF: Tensor, learning_rate: float) -> nn.Linear:
        """The last layer after fine-tuning on these features."""
        own = self._decoder.classifier.linear
        linear = nn.Linear(own.in_features, own.out_features, device=self._device)
        linear.load_state_dict(own.state_dict())
        optimiser = torch.optim.SGD(linear.parameters(), lr=learning_rate, momentum=self._momentum)
        generator = draws(self._seed, "last layer")
        for _ in range(TUNING_EPOCHS):
            order_M = torch.randperm(len(train_MF), generator=generator).to(self._device)
            for index_B in torch.split(order_M, TUNING_BATCH):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(linear(train_MF[index_B]), self._labels_M[index_B])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        return linear.requires_grad_(False)
