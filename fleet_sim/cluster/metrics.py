"""What a run exports while it works: counters, gauges and histograms by `ray.util.metrics`.

The driver alone exports, after an epoch is committed, so a replayed step counts nothing twice. Ray shows a
counter `NAME` as `ray_NAME_total`, a gauge as `ray_NAME`. Values are doubles, so totals are exact to 2**53.
Every driver on a cluster has series of its own (Ray's label `WorkerId`); after a driver has ended, its
counters stay for as long as the cluster does. A gauge goes when it was not set for two export intervals. The
sum of a Ray histogram is made of its buckets' midpoints, so latency has a counter for the true one.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import accumulate

import ray
from ray.util.metrics import Counter, Gauge, Histogram

from fleet_sim.cluster.endpoint import endpoint_url, read_samples
from fleet_sim.engine.counts import DROP_REASONS

OUTCOMES = ("right_on_time", "right_late", "wrong", *(f"dropped_{reason}" for reason in DROP_REASONS))
TOTALS = {
    "offered": ("fleet_sim_frames_offered", "frames captured"),
    "sent": ("fleet_sim_frames_sent", "frames whose transmission ended"),
    "payload_bits": ("fleet_sim_payload_bits", "bits of sent messages"),
    "wire_bits": ("fleet_sim_wire_bits", "bits of sent messages with message and link headers"),
    "level_sum": ("fleet_sim_level_sum", "levels of sent frames, added up"),
    "latency_us_sum": ("fleet_sim_latency_us_sum", "latencies of answered frames in microseconds, added up"),
}
GAUGES = {
    "virtual_s": ("fleet_sim_virtual_seconds", "virtual time reached at this sweep point"),
    "cameras": ("fleet_sim_cameras", "cameras at this sweep point"),
    "budget_bps": ("fleet_sim_budget_bps", "uplink capacity of one cell"),
    "link_utilisation": ("fleet_sim_link_utilisation", "wire bits served / capacity"),
    "level_mean": ("fleet_sim_level_mean", "mean level of sent frames"),
}
FRAMES = "fleet_sim_frames"
LATENCY_BUCKET, LATENCY_COUNT = "fleet_sim_latency_ms_bucket", "fleet_sim_latency_ms_count"
EPOCH_WALL = "fleet_sim_epoch_wall_ms"
EXPORTED_NAMES = frozenset(
    {f"ray_{name}_total" for name, _ in TOTALS.values()}
    | {f"ray_{name}_total" for name in (FRAMES, LATENCY_BUCKET, LATENCY_COUNT)}
    | {f"ray_{name}" for name, _ in GAUGES.values()}
    | {f"ray_{EPOCH_WALL}_{part}" for part in ("bucket", "sum", "count")}
)
_EPOCH_WALL_EDGES_MS = [float(2**n) for n in range(17)]
_LABELS = {"profile", "version", "outcome", "shard", "le"}

Series = tuple[str, frozenset[tuple[str, str]]]
# What this process has added to each series of a session, whichever exporter did: they share Ray's series.
_SHOWN: dict[tuple[str, str], dict[Series, float]] = {}


def bucket_places(edges_us: Sequence[int]) -> list[int]:
    """Which of the edges Prometheus gets: an octave apart, from 1 ms to 65 s."""
    wanted_us = [1000 * 2**n for n in range(17)]
    places = {next((i for i, edge in enumerate(edges_us) if edge >= want), None) for want in wanted_us}
    return sorted(place for place in places if place is not None)


class MetricsExporter:
    """The metrics of one run, labelled with its link profile."""

    def __init__(self, profile: str, edges_us: Sequence[int]) -> None:
        """`edges_us`: ascending upper edges of the latency bins that `commit` gets, in microseconds."""
        self._profile = {"profile": profile}
        self._edges_us = [int(edge) for edge in edges_us]
        self._places = bucket_places(self._edges_us)
        shard = ("profile", "version", "shard")
        self._frames = Counter(FRAMES, "frames that have ended, by how", (*shard, "outcome"))
        self._totals = {key: Counter(name, text, shard) for key, (name, text) in TOTALS.items()}
        self._buckets = Counter(LATENCY_BUCKET, "answered frames with at most this latency", (*shard, "le"))
        self._answered = Counter(LATENCY_COUNT, "answered frames", shard)
        self._gauges = {key: Gauge(name, text, ("profile",)) for key, (name, text) in GAUGES.items()}
        self._epoch_wall = Histogram(EPOCH_WALL, "wall time of one epoch", _EPOCH_WALL_EDGES_MS, ("profile",))
        context = ray.get_runtime_context()
        self._worker = context.get_worker_id()
        self._shown = _SHOWN.setdefault((context.get_node_id(), self._worker), {})
        self._now: dict[str, float] = {}

    def commit(
        self, shard: str, version: str, counts: Mapping[str, int], latency_counts_b: Sequence[int]
    ) -> None:
        """Add what one shard counted for one encoder version in a committed epoch.

        `counts`: by OUTCOMES and the keys of TOTALS; what is absent is 0. `latency_counts_b`: answered frames
        by latency, one bin an edge and a last one for what exceeds every edge. Raises ValueError on another
        key or length, and on a count below 0.
        """
        if unknown := counts.keys() - {*OUTCOMES, *TOTALS}:
            raise ValueError(f"no metric for {', '.join(sorted(unknown))}")
        if len(latency_counts_b) != len(self._edges_us) + 1:
            raise ValueError(
                f"{len(latency_counts_b)} latency bins for {len(self._edges_us)} edges and the rest"
            )
        if min((*counts.values(), *latency_counts_b), default=0) < 0:
            raise ValueError(f"counts of shard {shard} fall below 0; totals only rise")
        labels = {**self._profile, "version": version, "shard": shard}
        for outcome in OUTCOMES:
            self._add(self._frames, FRAMES, counts.get(outcome, 0), {**labels, "outcome": outcome})
        for key, (name, _) in TOTALS.items():
            self._add(self._totals[key], name, counts.get(key, 0), labels)
        below_b = list(accumulate(int(count) for count in latency_counts_b))
        for place in self._places:
            le = f"{self._edges_us[place] / 1000:g}"
            self._add(self._buckets, LATENCY_BUCKET, below_b[place], {**labels, "le": le})
        answered = below_b[-1]
        self._add(self._buckets, LATENCY_BUCKET, answered, {**labels, "le": "+Inf"})
        self._add(self._answered, LATENCY_COUNT, answered, labels)

    def gauges(
        self, virtual_s: float, cameras: int, budget_bps: int, link_utilisation: float, level_mean: float
    ) -> None:
        """Set what holds now."""
        values = (virtual_s, cameras, budget_bps, link_utilisation, level_mean)
        self._now = {key: float(value) for key, value in zip(GAUGES, values, strict=True)}
        self._set_gauges()

    def epoch_wall_ms(self, value: float) -> None:
        """Note the wall time that one epoch took, in milliseconds."""
        self._epoch_wall.observe(float(value), self._profile)
        series = _series(f"ray_{EPOCH_WALL}_count", self._profile)
        self._shown[series] = self._shown.get(series, 0.0) + 1

    def flush(self, timeout_s: float = 30.0) -> None:
        """Return as soon as the endpoint shows every value given so far: within one export interval.

        Gauges are set once more, so that they stand beside the final totals. Raises TimeoutError naming a
        series that is still missing after `timeout_s`.
        """
        self._set_gauges()
        url, deadline = endpoint_url(), time.monotonic() + timeout_s
        while missing := self._missing(url):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not show {missing} within {timeout_s:g} s")
            time.sleep(0.05)

    def _add(self, counter: Counter, name: str, value: int, labels: dict[str, str]) -> None:
        # `Counter.inc` refuses 0, but a series has to begin there: quantiles need the empty buckets too.
        counter._record(int(value), tags=labels)
        series = _series(f"ray_{name}_total", labels)
        self._shown[series] = self._shown.get(series, 0.0) + int(value)

    def _set_gauges(self) -> None:
        for key, value in self._now.items():
            self._gauges[key].set(value, self._profile)

    def _missing(self, url: str) -> str | None:
        try:
            samples = read_samples(url)
        except OSError as error:
            return f"anything ({error})"
        mine = (s for s in samples if s.labels.get("WorkerId") == self._worker)
        seen = {_series(s.name, s.labels): s.value for s in mine}
        now = {_series(f"ray_{GAUGES[key][0]}", self._profile): value for key, value in self._now.items()}
        late = (
            f"{name} {dict(labels)} at {value:g}"
            for (name, labels), value in (self._shown | now).items()
            if seen.get((name, labels)) != value
        )
        return next(late, None)


def _series(name: str, labels: Mapping[str, str]) -> Series:
    return name, frozenset((key, value) for key, value in labels.items() if key in _LABELS)
