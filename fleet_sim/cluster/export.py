"""What the driver makes known of committed epochs; in process there is nowhere to show it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet


class Export(Protocol):
    """Is told what every member counted."""

    def begin(self, fleet: Fleet, versions: Sequence[str]) -> None:
        """A sweep point begins with these encoders deployed."""

    def versions(self, versions: Sequence[str]) -> None:
        """The encoders deployed by now."""

    def counted(self, member: str, counted_VC: np.ndarray, latency_VB: np.ndarray | None) -> None:
        """A member counted this in a committed epoch."""

    def reached(self, virtual_us: int, wall_ms: float) -> None:
        """An epoch is over."""

    def end(self, counts: Counts) -> None:
        """The point is over, with these counts in all."""

    def flush(self) -> None:
        """Wait until all of this can be read."""


class NoExport:
    """In process there is no endpoint to export to."""

    def begin(self, fleet: Fleet, versions: Sequence[str]) -> None:
        """Nothing to do."""

    def versions(self, versions: Sequence[str]) -> None:
        """Nothing to do."""

    def counted(self, member: str, counted_VC: np.ndarray, latency_VB: np.ndarray | None) -> None:
        """Nothing to do."""

    def reached(self, virtual_us: int, wall_ms: float) -> None:
        """Nothing to do."""

    def end(self, counts: Counts) -> None:
        """Nothing to do."""

    def flush(self) -> None:
        """Nothing to do."""
