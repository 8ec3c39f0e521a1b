"""Classifiers retrained from scratch on a frozen encoder's latents, as the servers of the paper's table 1."""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import safetensors.numpy

from fleet_sim.codec.head import Head, LinearHead, NetworkHead
from fleet_sim.codec.networks import build_decoder
from fleet_sim.scenario.heads import HeadSpec
from trainers import checkpoint
from trainers.heads import Latents, fit_head
from trainers.reproduce.encoding import Encode, read_encoded
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train
from trainers.sameness import deterministic, seeded_weights
from trainers.train import worker_device


@dataclass(frozen=True)
class FitHead(Step):
    """One head, its accuracy on validation and test images at the full level."""

    trained: Train = field(kw_only=True)
    head: HeadSpec = field(kw_only=True)

    @property
    def title(self) -> str:
        """The head and its encoder."""
        return f"head {self.head.name} on {self.trained.title}"

    @property
    def encoded(self) -> Encode:
        """The latents it reads."""
        return Encode(self.subject, trained=self.trained)

    @property
    def needs(self) -> tuple[Step, ...]:
        """The latents."""
        return (self.encoded,)

    @property
    def settings(self) -> dict[str, Any]:
        """How it is fitted."""
        train = self.subject.scenario.train
        return {
            "head": self.head.recorded(),
            "head_training": train.head_training.model_dump(mode="json"),
            "sgd": train.model_dump(mode="json", include={"momentum", "weight_decay"}),
        }

    @property
    def cost(self) -> float:
        """Passes, each a third of one through the whole chain."""
        return 1.0 if self.head.kind == "svm" else self.subject.scenario.train.head_training.epochs / 3

    def run(self, store: Store, progress: Progress) -> Record:
        """Fit from fresh weights and answer the test images."""
        began_s = time.process_time()
        scenario = self.subject.scenario
        dataset = self.subject.dataset()
        classes = len(dataset.class_names)
        encoded = read_encoded(store, self.encoded, dataset)
        latents = Latents(
            encoded.train_MN.astype(np.float32), dataset.train_labels_N, classes, encoded.tables
        )

        def fitted(done: int, total: int, figures: dict[str, float]) -> None:
            progress("epoch", done, total, figures)

        with deterministic(scenario.train.threads):
            with seeded_weights(scenario.seed, f"head {self.head.name}"):
                fresh = build_decoder(scenario.codec, classes).to(worker_device(scenario, 0))
            weights = fit_head(self.head, scenario, latents, fresh, fitted)
            head: Head
            if self.head.kind == "svm":
                head = LinearHead(weights, encoded.tables, scenario.codec.batch)
            else:
                head = NetworkHead(scenario.codec, classes, weights, encoded.tables, scenario.train.device)
            top = len(encoded.tables.ladder_L) - 1
            accuracy = {}
            for split in ("validation", "test"):
                ranked_MN = getattr(encoded, f"{split}_MN")[:, encoded.tables.ranking_N]
                kept_Mk = ranked_MN[:, : encoded.tables.ladder_L[top]]
                right = head.classify(kept_Mk, top) == getattr(dataset, f"{split}_labels_N")
                accuracy[f"{split}_accuracy"] = float(right.mean())
        named = {name: np.ascontiguousarray(array) for name, array in weights.items()}
        checkpoint.write(store.tensors(self), safetensors.numpy.save(named))
        return {"figures": accuracy, "cpu_s": time.process_time() - began_s}
