"""Fleets for benchmarks: message sizes and answers by formula, members driven as a run drives them."""

from typing import Any

import numpy as np

from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.pace import server_members, share_out
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.published import Published
from fleet_sim.cluster.server import DecoderServer
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.cluster.simulation import Crew, simulate
from fleet_sim.engine.counts import Counts
from fleet_sim.scenario import Scenario

SCENES, MEAN_BYTES_L = 2000, (4, 8, 12, 18, 24, 32, 40, 50)
GILBERT_ELLIOTT = {"kind": "gilbert_elliott", "p": 0.02, "r": 0.3, "h": 0.5}


class Quiet:
    """Is told how far a point is, and says nothing."""

    def advance(self, virtual_us: int, of_us: int) -> None:
        """Virtual time has moved on."""


def scenario_of(**parts: Any) -> Scenario:
    """A scenario of the benchmarks' ladder with one head and no audit."""
    parts.setdefault("serving", {})
    base = {
        "name": "benchmark",
        "audit": 0,
        "codec": {"ladder": [4 * (k + 1) for k in range(len(MEAN_BYTES_L))]},
        "train": {"heads": [{"name": "ce", "kind": "ce"}]},
    }
    return Scenario.model_validate(base | parts)


def bank() -> tuple[np.ndarray, BankPart]:
    """(mean payload bits (L,), fate of SCENES scenes): sizes scatter, higher levels are right more often."""
    rng = np.random.default_rng(0)
    mean_bytes_L = np.array(MEAN_BYTES_L)
    bytes_LF = np.rint(rng.normal(mean_bytes_L[:, None], 3, (len(mean_bytes_L), SCENES))).clip(1)
    right_LF = rng.random((len(mean_bytes_L), SCENES)) < np.linspace(0.5, 0.95, len(mean_bytes_L))[:, None]
    return 8 * mean_bytes_L, BankPart(
        bytes_LF.astype(np.int32),
        (7900 * bytes_LF).astype(np.int32),
        right_LF[None],
        np.zeros(bytes_LF.shape, np.bool_),
    )


def setup_of(point: Scenario) -> Point:
    """What every member is told of a sweep point."""
    members = server_members(point)
    return Point(
        fleet=fleet_of(point, SCENES),
        named_cells=point.report.cells,
        versions=1 + len(point.train.updates),
        heads=len(point.heads),
        live=False,
        servers_of_member=share_out(point.serving.servers, members),
        releases=point.rollout is not None,
        shadows=point.unlabelled,
        weighs=point.unlabelled and point.air is not None,
    )


def crew_on(
    host: Host,
    point: Scenario,
    *banked: tuple[np.ndarray, BankPart],
    server: type[DecoderServer] = DecoderServer,
) -> Crew:
    """Shards and servers that have these versions' banks, or the bank of `bank`."""
    shards = [
        Member(host, f"shard-{i}", CameraShard, i, point.cluster.shards, cpus=0)
        for i in range(point.cluster.shards)
    ]
    servers = [
        Member(host, f"server-{i}", server, i, point.codec, "cpu", cpus=0, snapshots_here=True)
        for i in range(server_members(point))
    ]
    for payload_bits_L, part in banked or [bank()]:
        there = host.put(part)
        for shard in shards:
            shard.lasting("add_version", payload_bits_L, there)
        for member in servers:
            member.lasting("add_bank", there)
    return Crew(host, shards, servers, Export())


def run(crew: Crew, point: Scenario, published: Published | None = None) -> Counts:
    """All of the point's virtual time; `published`: its encoders, at the start one unless it says more."""
    all_of_them = published or Published([0], [()])

    def published_at(at_us: int) -> Published:
        there = sum(from_us <= at_us for from_us in all_of_them.from_us)
        return Published(*(column[:there] for column in all_of_them))

    return simulate(crew, setup_of(point), point, all_of_them.from_us, published_at, Quiet())[0]
