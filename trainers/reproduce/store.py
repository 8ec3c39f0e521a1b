"""Steps and where their results lie.

A step's key is the hash of its settings, where they differ from the defaults, and of the keys of the steps
before it. It covers no code: remove the store after a change of a trainer or of a default.
"""

import fcntl
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.basics.machine import machine
from fleet_sim.data import Dataset, load
from fleet_sim.scenario.scenario import Scenario
from trainers import checkpoint

Progress = Callable[[str, int, int, dict[str, float]], None]
"""(part, done, in total, figures)"""
Record = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What is trained and on what: settings with a seed, and the hash of the images as they came."""

    scenario: Scenario
    images: str

    @property
    def title(self) -> str:
        """A few words for people."""
        spoilt = self.scenario.data.corruption
        return f"seed {self.scenario.seed}" + (f", {spoilt:.0%} corrupted" if spoilt else "")

    @cached_property
    def data_settings(self) -> dict[str, Any]:
        """What training and test images follow from."""
        data = self.scenario.data.model_dump(mode="json", exclude={"path"}, exclude_defaults=True)
        return {"images": self.images, "data": data, "seed": self.scenario.seed}

    def dataset(self) -> Dataset:
        """The images, read anew."""
        return load(self.scenario.data, self.scenario.seed)


@dataclass(frozen=True)
class Step(ABC):
    """One piece of work whose result is kept."""

    subject: Subject

    @property
    def kind(self) -> str:
        """Short name of what is done."""
        return type(self).__name__.lower()

    @property
    def title(self) -> str:
        """What people see while it runs."""
        return f"{self.kind}, {self.subject.title}"

    @property
    def needs(self) -> "tuple[Step, ...]":
        """Steps whose results it reads."""
        return ()

    @property
    def settings(self) -> dict[str, Any]:
        """All that the result depends on beside `needs`."""
        return {}

    @property
    def cost(self) -> float:
        """Expected work, in any unit that is the same for all steps; for the time left."""
        return 1.0

    @cached_property
    def key(self) -> str:
        """16 hex digits that name the result."""
        meaning = [self.kind, self.settings, [step.key for step in self.needs]]
        return sha256_hex(canonical_json(meaning))[:16]

    @abstractmethod
    def run(self, store: "Store", progress: Progress) -> Record:
        """Do it and give its `figures`, and `cpu_s`: the seconds it took, as in `trainers.stage.Trained`."""


class Store:
    """A folder with a record (JSON) a step, and tensors (safetensors) beside it where it leaves any."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def tensors(self, step: Step) -> Path:
        """Where the step's tensors lie, unfinished ones too."""
        return self.root / f"{step.kind}-{step.key}.safetensors"

    def record(self, step: Step) -> Record | None:
        """The record of a finished step, None where it is still to be done."""
        file = self._record_file(step)
        if not file.exists():
            return None
        found: Record = json.loads(file.read_text(encoding="utf-8"))
        return found

    def figures(self, step: Step) -> dict[str, Any]:
        """The figures of a step that is done."""
        record = self.record(step)
        if record is None:
            raise LookupError(f"step not done: {step.title}")
        figures: dict[str, Any] = record["figures"]
        return figures

    def do(self, step: Step, progress: Progress) -> None:
        """Run a step whose needs are done, unless it is done by now; one process at a time does."""
        with self._lock(step):
            if self.record(step) is not None:
                return
            result = step.run(self, progress)
            record = {
                "kind": step.kind,
                "title": step.title,
                "settings": step.settings,
                "needs": [need.key for need in step.needs],
                "machine": machine(step.subject.scenario.train.device),
                **result,
            }
            checkpoint.write(self._record_file(step), json.dumps(record, indent=1).encode())

    def _record_file(self, step: Step) -> Path:
        return self.tensors(step).with_suffix(".json")

    @contextmanager
    def _lock(self, step: Step) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.tensors(step).with_suffix(".lock"), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
