"""On Ray the fleet counts what it counts in process, also when a shard or a server dies on the way."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from small_fleet import Watching, simulated, tiny_scenario

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.ray_host import RayHost
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine.digest import digest

UPDATE_AT_US = 3_000_000


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


@pytest.fixture
def host() -> Iterator[RayHost]:
    host = RayHost(None, namespace="test")
    yield host
    host.close()


def kill(name: str) -> None:
    """End the process of a named actor, as a crash would."""
    pid = ray.get(ray.get_actor(name).__ray_call__.remote(lambda _: os.getpid()))
    os.kill(pid, signal.SIGKILL)


def test_deaths_of_a_shard_and_a_server_change_nothing(
    dataset: Dataset, tmp_path: Path, host: RayHost
) -> None:
    scenario = tiny_scenario(cluster={"backend": "ray", "shards": 2, "epoch_us": "500 ms"})
    victims = {1_500_000: "camera-shard-1", 2_500_000: "decoder-server-0", 4_000_000: "camera-shard-0"}

    def strike(virtual_us: int) -> None:
        if virtual_us in victims:
            kill(victims.pop(virtual_us))

    session, counts = simulated(
        host, scenario, dataset, tmp_path / "ray", update_at_us=UPDATE_AT_US, watcher=Watching(strike)
    )
    _, undisturbed = simulated(LocalHost(), scenario, dataset, tmp_path / "local", update_at_us=UPDATE_AT_US)
    assert not victims
    assert session.restarts >= 3
    assert digest({}, [counts]) == digest({}, [undisturbed])


def test_a_scenario_too_large_for_the_cluster_is_refused(host: RayHost) -> None:
    with pytest.raises(UserError, match=r"reserves 1000 CPUs.*cluster\.shards"):
        host.check_room(1000, 0)
