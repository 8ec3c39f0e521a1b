"""A frozen encoder asked what it was not trained for: a new head on the latents it sends.

Encoder, tables and ladder stay as they were released; only the servers learn.
"""

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fleet_sim.codec.head import NetworkHead
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.codec.networks import build_decoder
from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.scenario import Scenario
from trainers.heads import Latents, fit_head
from trainers.reproduce.curve import bits_by_level
from trainers.reproduce.encoding import Encode, read_encoded
from trainers.reproduce.store import Progress, Record, Step, Store, Subject
from trainers.reproduce.training import Train
from trainers.sameness import deterministic, seeded_weights
from trainers.train import worker_device

HEAD = HeadSpec(name="asked", kind="kl", label_smoothing=0.0)
"""A decoder from fresh weights, by cross-entropy."""


@dataclass(frozen=True)
class EncodeForeign(Encode):
    """Latents of the images of `subject`, which are not those that the encoder was trained on."""

    @property
    def settings(self) -> dict[str, Any]:
        """The images."""
        return self.subject.data_settings


@dataclass(frozen=True)
class Ask(Step):
    """Accuracy at each level of one head, which answers the labels of `subject`.

    The head learns at random levels of the ladder, pruned neurons at the mean they have on the images that
    the encoder was trained on.
    """

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Encoder and question."""
        asked, own = self.subject.scenario.data, self.trained.subject.scenario.data
        return f"{asked.source} {asked.labels} asked of {self.trained.title} on {own.source} {own.labels}"

    @property
    def own(self) -> Encode:
        """The latents from which the encoder's tables come."""
        return Encode(self.trained.subject, trained=self.trained)

    @property
    def asked(self) -> Encode:
        """The latents of the images in question."""
        if self.subject.images == self.trained.subject.images:
            return self.own
        return EncodeForeign(self.subject, trained=self.trained)

    @property
    def needs(self) -> tuple[Step, ...]:
        """Both latents, mostly the same."""
        return (self.own, self.asked)

    @property
    def fitting(self) -> Scenario:
        """Settings under which the head is fitted: the encoder's, at random levels."""
        scenario = self.trained.subject.scenario
        head_training = scenario.train.head_training.model_copy(update={"tail_drop": True})
        train = scenario.train.model_copy(update={"head_training": head_training})
        return scenario.model_copy(update={"train": train})

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The question, and how the head is fitted."""
        train = self.fitting.train
        return {
            "question": self.subject.data_settings,
            "ladder": list(self.fitting.codec.ladder),
            "head": HEAD.recorded(),
            "head_training": train.head_training.model_dump(mode="json"),
            "sgd": train.model_dump(mode="json", include={"momentum", "weight_decay"}),
        }

    @property
    def cost(self) -> float:
        """Passes, each a third of one through the whole chain."""
        return self.fitting.train.head_training.epochs / 3

    def run(self, store: Store, progress: Progress) -> Record:
        """Fit from fresh weights; code and answer the test images at every level."""
        began_s = time.process_time()
        scenario = self.fitting
        dataset = self.subject.dataset()
        classes = len(dataset.class_names)
        tables = read_encoded(store, self.own, self.trained.subject.dataset()).tables
        encoded = read_encoded(store, self.asked, dataset)
        latents = Latents(encoded.train_MN.astype("float32"), dataset.train_labels_N, classes, tables)

        def fitted(done: int, total: int, figures: dict[str, float]) -> None:
            progress("epoch", done, total, figures)

        with deterministic(scenario.train.threads):
            with seeded_weights(scenario.seed, f"head {HEAD.name}"):
                fresh = build_decoder(scenario.codec, classes).to(worker_device(scenario, 0))
            weights = fit_head(HEAD, scenario, latents, fresh, fitted)
            head = NetworkHead(scenario.codec, classes, weights, tables, scenario.train.device)
            levels = []
            for level, bits in enumerate(bits_by_level(encoded.test_MN, tables)):
                ranked_MN = encoded.test_MN[:, tables.ranking_N[: bits["neurons"]]]
                right = float((head.classify(ranked_MN, level) == dataset.test_labels_N).mean())
                wire_bits = bits["payload_bits"] + 8 * (HEADER_BYTES + scenario.link.header_bytes)
                levels.append(bits | {"wire_bits": wire_bits, "accuracy": {"asked": right}})
        return {"figures": {"levels": levels}, "cpu_s": time.process_time() - began_s}


def other_question(subject: Subject, **data: Any) -> Subject:
    """`subject` with other fields of `data`: other labels for the same images."""
    scenario = subject.scenario
    return Subject(
        scenario.model_copy(update={"data": scenario.data.model_copy(update=data)}), subject.images
    )
