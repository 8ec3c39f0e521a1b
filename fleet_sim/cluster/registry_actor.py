"""The model registry as a member of the cluster: one keeper of a directory of versions.

Training jobs publish through it and tell it how far they are; the driver asks it for both.
"""

from pathlib import Path

import numpy as np

from fleet_sim.cluster.resident import Resident
from fleet_sim.registry import Bundle, Keys, Kind, Registry
from fleet_sim.registry.deployment import deploy

TrainingNote = tuple[str, int, int, dict[str, float]]
"""(stage, done, total, figures), as trainers report it."""


class ModelRegistry(Resident):
    """A `Registry` and the latest word from the training job."""

    def __init__(self, root: Path, keys: Path | None = None):
        """`keys` is the folder of keys, for a process that may not have the driver's environment."""
        self._registry = Registry(root, Keys(keys) if keys else None)
        self._notes: list[TrainingNote] = []

    def reset(self) -> None:
        """Nothing: versions lie on disk."""

    def publish(
        self, kind: Kind, manifest: dict[str, object], files: dict[str, dict[str, np.ndarray]]
    ) -> str:
        """Keep a version for ever; its id."""
        return self._registry.publish(kind, manifest, files)

    def load(self, version: str) -> Bundle:
        """A version, verified."""
        return self._registry.load(version)

    def deploy(self, encoder: str, heads: tuple[str, ...]) -> None:
        """Put a release into the field; raises RegistryError where it would leave an encoder unread."""
        deploy(self._registry, encoder, heads)

    def note(self, stage: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Take down how far a training job is."""
        self._notes.append((stage, done, total, figures))

    def take_notes(self) -> list[TrainingNote]:
        """What was noted since the last asking."""
        notes, self._notes = self._notes, []
        return notes
