"""An ordered encoder at every level of its ladder, read by the decoder that was trained with it."""

import time
from dataclasses import dataclass, field
from typing import Any

from fleet_sim.codec.head import NetworkHead
from fleet_sim.codec.message import HEADER_BYTES
from trainers.reproduce.curve import bits_by_level
from trainers.reproduce.encoding import Encode, read_encoded
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train, saved_weights
from trainers.sameness import deterministic


@dataclass(frozen=True)
class Rungs(Step):
    """Bits a frame and accuracy at each level; pruned neurons stand at their mean."""

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Whose levels they are."""
        return f"levels of {self.trained.title}"

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
        """The levels."""
        scenario = self.subject.scenario
        return {"ladder": list(scenario.codec.ladder), "link_header_bytes": scenario.link.header_bytes}

    def run(self, store: Store, progress: Progress) -> Record:
        """Code every image at every level and classify what arrives, as a server does."""
        began_s = time.process_time()
        scenario = self.subject.scenario
        dataset = self.subject.dataset()
        encoded = read_encoded(store, self.encoded, dataset)
        tables = encoded.tables
        wire_header_bits = 8 * (HEADER_BYTES + scenario.link.header_bytes)
        with deterministic(scenario.train.threads):
            weights = saved_weights(store, self.trained, "decoder")
            classes = len(dataset.class_names)
            head = NetworkHead(scenario.codec, classes, weights, tables, scenario.train.device)
            validation_bits = bits_by_level(encoded.validation_MN, tables)
            levels = []
            for level, bits in enumerate(bits_by_level(encoded.test_MN, tables)):
                right = {}
                for split in ("validation", "test"):
                    ranked_MN = getattr(encoded, f"{split}_MN")[:, tables.ranking_N]
                    answers_M = head.classify(ranked_MN[:, : bits["neurons"]], level)
                    right[split] = float((answers_M == getattr(dataset, f"{split}_labels_N")).mean())
                levels.append(
                    bits
                    | {
                        "wire_bits": bits["payload_bits"] + wire_header_bits,
                        "accuracy": {"ordered": right["test"]},
                        "validation_payload_bits": validation_bits[level]["payload_bits"],
                        "validation_accuracy": right["validation"],
                    }
                )
                progress("level", level + 1, len(tables.ladder_L), {})
        return {"figures": {"levels": levels}, "cpu_s": time.process_time() - began_s}
