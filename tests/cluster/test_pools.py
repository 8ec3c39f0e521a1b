"""Servers of several replicas in a whole run: the same whatever the shards, the epoch and the mode."""

from pathlib import Path

import numpy as np
import pytest
from small_fleet import simulated, tiny_scenario

from fleet_sim.cluster.host import LocalHost
from fleet_sim.data.load import load
from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.serving.replicas import READY_US, REDONE

BUSY = {"head": "plain", "servers": 2, "batch": 2, "batch_us": 60_000, "frame_us": 60_000}
EVERYTHING = BUSY | {
    "replicas": 2,
    "routing": "hash",
    "shed": "predicted",
    "queue_limit": 6,
    "autoscale": {"kind": "utilisation", "least": 1, "most": 3, "target": 0.4, "startup_us": "300 ms"},
    "failures": [{"server": 1, "replica": 0, "from_us": "1 s", "to_us": "1.7 s"}],
    "resident": 1,
    "load_us": "40 ms",
    "switches": [{"at_us": "3 s", "head": "shifted"}],
}


def counts_of(folder: Path, serving: dict[str, object], **fields: object) -> Counts:
    cluster = {"backend": "local", "shards": 2, "epoch_us": "2 s"} | fields.pop("cluster", {})  # type: ignore[operator]
    scenario = tiny_scenario(serving=serving, cluster=cluster, **fields)
    host = LocalHost()
    try:
        dataset = load(scenario.data, scenario.seed)
        return simulated(host, scenario, dataset, folder / "models", update_at_us=2_000_000)[1]
    finally:
        host.close()


def assert_equal(one: Counts, other: Counts) -> None:
    for name in ("by_second_VSC", "cells_KSC", "latency_VB", "wire_bits_by_cell", "work_PQ", "in_flight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Counts:
    return counts_of(tmp_path_factory.mktemp("whole"), EVERYTHING)


def test_the_run_has_everything_in_it(whole: Counts) -> None:
    total = dict(zip(COLUMNS, whole.total_C.tolist(), strict=True))
    assert total["dropped_shed"] > 20
    assert total["answered"] > 100
    assert whole.work_PQ[1, REDONE] > 0
    assert (whole.work_PQ[:, READY_US] > 6_000_000).all()  # more than one replica most of the time
    assert whole.by_second_VSC[1].any()


@pytest.mark.parametrize(
    "fields",
    [
        {"cluster": {"shards": 1, "epoch_us": "6 s"}},
        {"cluster": {"shards": 3, "epoch_us": "313 ms"}},
        {"mode": "live"},
    ],
    ids=["one shard", "three shards", "live"],
)
def test_shards_epochs_and_mode_change_nothing(
    whole: Counts, tmp_path: Path, fields: dict[str, object]
) -> None:
    assert_equal(counts_of(tmp_path, EVERYTHING, **fields), whole)


def test_a_pool_of_one_that_sheds_nothing_is_a_plain_server(tmp_path: Path) -> None:
    plain = counts_of(tmp_path, BUSY)
    assert_equal(counts_of(tmp_path, BUSY | {"queue_limit": 10**9}), plain)
    assert (plain.work_PQ > 0).any(axis=0).tolist() == [True, True, False, True, True, True]
