"""Committed epochs as metrics of Ray."""

from collections.abc import Sequence

import numpy as np

from fleet_sim.cluster.export import Export
from fleet_sim.cluster.metrics import MetricsExporter
from fleet_sim.engine.counts import LATENCY_EDGES_US, LEVEL_SUM, SENT, WIRE_BITS, Counts
from fleet_sim.engine.figures import metric_counts
from fleet_sim.engine.fleet import Fleet

SHORT_ID = 12


class RayExport(Export):
    """Counters, gauges and histograms by ray.util.metrics.

    What shards count when a point ends (frames captured but never ready) belongs to no epoch; it is exported
    from the final counts, as the difference to what was exported before, so that totals equal the summary.
    """

    def __init__(self, profile: str):
        self._metrics = MetricsExporter(profile, [int(edge) for edge in LATENCY_EDGES_US])
        self._no_latency = [0] * (len(LATENCY_EDGES_US) + 1)

    def begin(self, fleet: Fleet, versions: Sequence[str]) -> None:
        """Start counting a point."""
        self._fleet = fleet
        self._exported_VC: np.ndarray | int = 0
        self.versions(versions)

    def versions(self, versions: Sequence[str]) -> None:
        """Name the encoders."""
        self._versions = [version[:SHORT_ID] for version in versions]

    def counted(self, member: str, counted_VC: np.ndarray, latency_VB: np.ndarray | None) -> None:
        """Add to the counters, under each version that counted anything."""
        self._exported_VC = self._exported_VC + counted_VC
        for v, version in enumerate(self._versions):
            if counted_VC[v].any():
                latency = self._no_latency if latency_VB is None else latency_VB[v].tolist()
                self._metrics.commit(member, version, metric_counts(counted_VC[v]), latency)

    def reached(self, virtual_us: int, wall_ms: float) -> None:
        """Set the gauges."""
        total_C = np.asarray(self._exported_VC).sum(axis=0)
        capacity_bits = self._fleet.link.budget_bps * self._fleet.cells * virtual_us / 1_000_000
        self._metrics.gauges(
            virtual_us / 1_000_000,
            self._fleet.cameras,
            self._fleet.link.budget_bps,
            float(total_C[WIRE_BITS]) / capacity_bits,
            float(total_C[LEVEL_SUM]) / max(1, int(total_C[SENT])),
        )
        self._metrics.epoch_wall_ms(wall_ms)

    def end(self, counts: Counts) -> None:
        """Export what was counted at the very end."""
        self.counted("end", counts.by_second_VSC.sum(axis=1) - self._exported_VC, None)

    def flush(self) -> None:
        """Wait until the endpoint shows everything."""
        self._metrics.flush()
