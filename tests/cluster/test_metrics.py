"""A driver's metrics, read at Ray's endpoint and through a real Prometheus."""

import time
from collections import Counter
from itertools import pairwise

import pytest
import ray
from real_prometheus import MISSING, PROGRAM, prometheus

from fleet_sim.cluster.endpoint import Sample, endpoint_url, export_every_second, read_samples
from fleet_sim.cluster.metrics import EXPORTED_NAMES, OUTCOMES, TOTALS, MetricsExporter, bucket_places
from fleet_sim.engine.counts import LATENCY_EDGES_US
from fleet_sim.report.panels import PANELS

PROFILE = "metrics_test"
BIG = 2**52 + 1
EDGES_US = [1_000, 20_000, 50_000, 10_000_000]


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    export_every_second()
    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR")
    yield
    ray.shutdown()


def _epochs() -> list[tuple[str, str, dict[str, int], list[int]]]:
    """Three commits, with shards and versions that share series and ones that do not."""
    keys = [*OUTCOMES, *TOTALS]
    first = {key: 7 * i for i, key in enumerate(keys)}
    second = {key: 16_777_217 for key in keys} | {"wire_bits": BIG}
    return [
        ("0", "aaaa", first, [0, 0, 100, 0, 0]),
        ("0", "aaaa", second, [0, 10, 0, 0, 1]),
        ("1", "bbbb", first, [0, 0, 3_000_000, 0, 0]),
    ]


@pytest.fixture(scope="module")
def exported() -> list[Sample]:
    exporter = MetricsExporter(PROFILE, EDGES_US)
    for epoch in _epochs():
        exporter.commit(*epoch)
    exporter.epoch_wall_ms(12.5)
    exporter.epoch_wall_ms(700)
    exporter.gauges(virtual_s=2.5, cameras=40, budget_bps=20_000, link_utilisation=0.75, level_mean=3.25)
    exporter.flush()
    return [s for s in read_samples(endpoint_url()) if s.labels["profile"] == PROFILE]


def _sums(samples: list[Sample], name: str, *labels: str) -> dict[tuple[str, ...], float]:
    sums: Counter[tuple[str, ...]] = Counter()
    for s in samples:
        if s.name == name:
            sums[tuple(s.labels[label] for label in labels)] += s.value
    return dict(sums)


def test_totals_at_the_endpoint_equal_what_was_committed(exported):
    for key, (name, _) in TOTALS.items():
        want: Counter[tuple[str, str]] = Counter()
        for shard, version, counts, _ in _epochs():
            want[shard, version] += counts[key]
        assert _sums(exported, f"ray_{name}_total", "shard", "version") == want
    frames = _sums(exported, "ray_fleet_sim_frames_total", "outcome")
    assert frames == {(o,): sum(counts[o] for _, _, counts, _ in _epochs()) for o in OUTCOMES}


def test_totals_beyond_float32_are_exact(exported):
    place = [*OUTCOMES, *TOTALS].index("wire_bits")
    assert _sums(exported, "ray_fleet_sim_wire_bits_total", "shard")["0",] == BIG + 7 * place


def test_latency_buckets_are_cumulative_and_include_the_empty_ones(exported):
    buckets = _sums(exported, "ray_fleet_sim_latency_ms_bucket_total", "shard", "le")
    assert {le: n for (shard, le), n in buckets.items() if shard == "0"} == {
        "1": 0, "20": 10, "50": 110, "10000": 110, "+Inf": 111,
    }  # fmt: skip
    assert _sums(exported, "ray_fleet_sim_latency_ms_count_total", "shard") == {
        ("0",): 111,
        ("1",): 3_000_000,
    }


def test_gauges_and_epoch_wall_are_shown(exported):
    values = {s.name: s.value for s in exported if "le" not in s.labels}
    assert values["ray_fleet_sim_virtual_seconds"] == 2.5
    assert values["ray_fleet_sim_link_utilisation"] == 0.75
    assert values["ray_fleet_sim_epoch_wall_ms_count"] == 2


def test_the_names_at_the_endpoint_are_the_declared_ones(exported):
    assert {s.name for s in exported} == EXPORTED_NAMES


def test_no_label_names_a_camera(exported):
    ours = {"profile", "version", "outcome", "shard", "le"}
    rays = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId"}
    assert {key for s in exported for key in s.labels if not key.startswith("otel_")} == ours | rays


def test_a_second_exporter_of_a_process_adds_to_the_same_series(exported):
    before = _sums(exported, "ray_fleet_sim_frames_sent_total", "profile")[PROFILE,]
    exporter = MetricsExporter(PROFILE, EDGES_US)
    exporter.commit("0", "aaaa", {"sent": 5}, [0] * 5)
    exporter.flush()
    assert (
        _sums(read_samples(endpoint_url()), "ray_fleet_sim_frames_sent_total", "profile")[PROFILE,]
        == before + 5
    )


def test_what_has_no_metric_is_refused():
    exporter = MetricsExporter(PROFILE, EDGES_US)
    with pytest.raises(ValueError, match="dropped_by_magic"):
        exporter.commit("0", "a", {"dropped_by_magic": 1}, [0] * 5)
    with pytest.raises(ValueError, match="4 latency bins for 4 edges"):
        exporter.commit("0", "a", {}, [0] * 4)
    with pytest.raises(ValueError, match="below 0"):
        exporter.commit("0", "a", {"sent": -1}, [0] * 5)


def test_the_engines_edges_are_thinned_to_octaves():
    chosen_ms = [int(LATENCY_EDGES_US[place]) / 1000 for place in bucket_places(LATENCY_EDGES_US)]
    assert 14 <= len(chosen_ms) <= 18
    assert chosen_ms[0] == pytest.approx(1, rel=0.05)
    assert all(b / a == pytest.approx(2, rel=0.05) for a, b in pairwise(chosen_ms))


@pytest.fixture(scope="module")
def ask(tmp_path_factory, exported):
    """A Prometheus that has seen all that was exported."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    shown = f'ray_fleet_sim_frames_total{{profile="{PROFILE}"}}'
    with prometheus(tmp_path_factory.mktemp("prometheus"), endpoint_url(), shown) as query:
        yield query


def test_prometheus_sees_the_same_totals(ask):
    seen = ask(f'sum by (outcome) (ray_fleet_sim_frames_total{{profile="{PROFILE}"}})')
    want = {o: sum(counts[o] for _, _, counts, _ in _epochs()) for o in OUTCOMES}
    assert {labels["outcome"]: value for labels, value in seen} == want


def test_prometheus_reads_the_buckets_as_a_histogram(ask):
    buckets = f'sum by (le) (ray_fleet_sim_latency_ms_bucket_total{{profile="{PROFILE}"}})'
    [(_, median_ms)] = ask(f"histogram_quantile(0.5, {buckets})")
    assert 20 < median_ms < 50


def test_every_panel_has_something_to_show(ask):
    exporter = MetricsExporter(PROFILE, EDGES_US)
    for _ in range(2):  # rates need a rise between two scrapes
        exporter.commit("0", "aaaa", {o: 3 for o in OUTCOMES}, [0, 5, 5, 0, 0])
        exporter.epoch_wall_ms(10)
        exporter.gauges(virtual_s=5, cameras=40, budget_bps=20_000, link_utilisation=0.7, level_mean=3)
        exporter.flush()
    time.sleep(1.1)
    for title, _, _, _, queries in PANELS:
        for promql in queries.values():
            for variable, value in {"$profile": PROFILE, "$run": ".*", "$__rate_interval": "1m"}.items():
                promql = promql.replace(variable, value)
            rows = ask(promql)
            assert rows, f"{title}: {promql}"
            assert all(value == value for _, value in rows), f"{title} is not a number: {promql}"
