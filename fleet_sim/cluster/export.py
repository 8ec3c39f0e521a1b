"""What the driver makes known of committed epochs."""

from collections.abc import Sequence

import numpy as np

from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet


class Export:
    """Is told what every member counted. This one keeps it to itself: in process there is no endpoint."""

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
