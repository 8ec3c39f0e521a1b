"""On Ray the fleet counts what it counts in process, also when a shard or a server dies on the way."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from small_fleet import HEADS, Watching, simulated, tiny_scenario

from fleet_sim.basics.errors import RunError, UserError
from fleet_sim.cluster import member
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.ray_host import RayHost
from fleet_sim.cluster.resident import Resident
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine.digest import digest
from fleet_sim.registry.rollout import Change

UPDATE_AT_US = 3_000_000


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


@pytest.fixture
def host() -> Iterator[RayHost]:
    on_stop = signal.getsignal(signal.SIGTERM)
    host = RayHost(None, namespace="test")
    assert signal.getsignal(signal.SIGTERM) is on_stop  # or a stopped run could not say how to go on
    yield host
    host.close()


def pid_of(name: str) -> int:
    pid: int = ray.get(ray.get_actor(name).__ray_call__.remote(lambda _: os.getpid()))
    return pid


def kill(name: str) -> None:
    """End the process of a named actor, as a crash would."""
    os.kill(pid_of(name), signal.SIGKILL)


def kill_and_wait(name: str) -> None:
    """The same, and wait until Ray has started it again, so that nothing tells of its death."""
    old = pid_of(name)
    os.kill(old, signal.SIGKILL)
    deadline = time.monotonic() + 300  # on a busy machine
    while time.monotonic() < deadline:
        try:
            if pid_of(name) != old:
                return
        except ray.exceptions.RayActorError:
            time.sleep(0.2)
    raise AssertionError(f"{name} did not come back")


RELEASE: dict[str, object] = {
    "serving": {"head": "plain", "servers": 2, "switches": [{"at_us": "1 s", "head": "shifted"}]},
    "rollout": {"waves": [0.4, 1], "guard": {"kind": "labels", "share": 1, "delay_us": 0}},
}


# An encoder released without labels, of weights whose messages depart further in noise than those before.
NOISE = [{"name": "all", "share": 1.0, "sees": [{"look": "noise", "severity": 3}]}]
ENCODER: dict[str, object] = {
    "duration_us": "12 s",
    "fleet": {"cameras": 60, "cells": 5, "frame_period_us": "500 ms", "groups": NOISE},
    "link": {"budget_bps": "200 kbit/s", "buffer_bytes": 300, "downlink_bps": "400 kbit/s"},
    "control": {"controller": "fixed", "level": 1},
    "train": {
        "heads": [{"name": name, "kind": "svm"} for name in HEADS],
        "flip": False,
        "recipe": "e2e",
        "updates": [{"at_us": UPDATE_AT_US}],
    },
    "rollout": {
        "waves": [0.4, 1],
        "guard": {"kind": "unlabelled", "harm": 0.25},
        "air": {"block_bytes": 500, "install_us": 0},
    },
}
TOUCHY = 8


@pytest.mark.parametrize(("mode", "fields"), [("bank", {}), ("live", RELEASE), ("bank", ENCODER)])
def test_deaths_at_any_time_change_nothing(
    dataset: Dataset, tmp_path: Path, host: RayHost, mode: str, fields: dict[str, object]
) -> None:
    cluster = {"backend": "ray", "shards": 2, "epoch_us": "500 ms"}
    scenario = tiny_scenario(mode=mode, cluster=cluster, **fields)
    steps = {1_500_000: "camera-shard-1", 2_500_000: "model-registry", 4_000_000: "decoder-server-1"}
    bank = {16: "decoder-server-0"}
    idle = {"deploy": "decoder-server-1", "update": "camera-shard-0"}
    update = {"update_at_us": UPDATE_AT_US, "update_seed": TOUCHY}
    _, counts = simulated(LocalHost(), scenario, dataset, tmp_path / "local", **update)

    session, struck = simulated(
        host,
        scenario,
        dataset,
        tmp_path / "ray",
        **update,
        watcher=Watching(
            at=lambda virtual_us: kill(steps.pop(virtual_us)) if virtual_us in steps else None,
            banked=lambda scenes: kill(bank.pop(scenes)) if scenes in bank else None,
        ),
        before=lambda event: kill_and_wait(idle.pop(event)),
    )
    assert not steps
    assert not bank
    assert not idle
    # One death may be noticed twice, by calls under way and by the next; that of the registry, which was told
    # nothing, not at all if it is back before it is asked.
    assert session.restarts >= 5
    assert digest({}, [struck]) == digest({}, [counts])
    if fields:
        assert [row[2] for row in struck.events_E4.tolist()] == [Change.BEGUN, Change.BACK_WORSE]


class Hopeless(Resident):
    def reset(self) -> None: ...

    def work(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_member_that_always_dies_ends_the_run_with_its_name(
    host: RayHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "MOST_DEATHS_IN_A_ROW", 2)
    hopeless = Member(host, "camera-shard-9", Hopeless, cpus=0)
    with pytest.raises(RunError, match="camera-shard-9 died 3 times in work"):
        hopeless.ask("work").wait()


def test_a_scenario_too_large_for_the_cluster_is_refused(host: RayHost) -> None:
    with pytest.raises(UserError, match=r"reserves 1000 CPUs.*cluster\.shards"):
        host.check_room(1000, 0)
