"""A cluster of several machines, each a raylet with a store of its own: they join and are lost in mid-run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster
from small_fleet import Watching, simulated, tiny_scenario

from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.ray_host import RayHost
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine.digest import digest

MEMBERS = ("camera-shard-0", "camera-shard-1", "decoder-server-0", "decoder-server-1")
FLEET = {"cameras": 200, "cells": 20, "frame_period_us": "500 ms"}
# Even small results lie in the store of the machine that made them, and are gone with it.
STORED_BYTES = 600


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    head = {
        "num_cpus": 1,
        "include_dashboard": False,
        "_system_config": {"max_direct_call_object_size": STORED_BYTES},
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster
    cluster.shutdown()


def node_of(member: str) -> str:
    handle = ray.get_actor(member)
    node: str = ray.get(
        handle.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id()), timeout=60
    )
    return node


@pytest.mark.parametrize("epoch", ["500 ms"])
def test_a_machine_joins_and_another_is_lost_and_the_digest_stays(
    cluster: Cluster, dataset: Dataset, tmp_path: Path, epoch: str
) -> None:
    scenario = tiny_scenario(fleet=FLEET, cluster={"backend": "ray", "shards": 2, "epoch_us": epoch})
    _, counts = simulated(LocalHost(), tiny_scenario(fleet=FLEET), dataset, tmp_path / "local")

    leaving = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    host = RayHost(cluster.address, namespace="nodes")
    places: dict[str, set[str]] = {}

    def at(virtual_us: int) -> None:
        if virtual_us == 1_000_000:
            places["first"] = {node_of(member) for member in MEMBERS}
            cluster.add_node(num_cpus=1)
        if virtual_us == 3_000_000:
            cluster.remove_node(leaving, allow_graceful=False)

    try:
        session, moved = simulated(host, scenario, dataset, tmp_path / "ray", watcher=Watching(at=at))
        places["last"] = {node_of(member) for member in MEMBERS}
    finally:
        host.close()
    assert leaving.node_id in places["first"]
    assert len(places["first"]) == 2
    assert leaving.node_id not in places["last"]
    assert session.restarts >= 1
    assert digest({}, [moved]) == digest({}, [counts])
