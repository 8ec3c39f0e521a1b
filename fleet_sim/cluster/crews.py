"""The members that simulate a sweep point together."""

from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.server import DecoderServer
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.cluster.simulation import Crew
from fleet_sim.scenario import Scenario


def new_crew(host: Host, scenario: Scenario, number: int, servers: int, export: Export) -> Crew:
    """Crew `number` of a run: every shard, and so many server members; none knows anything yet."""
    of_crew = f"-of-crew-{number}" if number else ""
    shards = [
        Member(
            host,
            f"camera-shard-{i}{of_crew}",
            CameraShard,
            i,
            scenario.cluster.shards,
            cpus=scenario.cluster.shard_cpus,
        )
        for i in range(scenario.cluster.shards)
    ]
    hosts = [
        Member(
            host,
            f"decoder-server-{i}{of_crew}",
            DecoderServer,
            i,
            scenario.codec,
            "cuda" if scenario.serving.num_gpus else "cpu",
            cpus=scenario.cluster.server_cpus,
            gpus=scenario.serving.num_gpus,
            snapshots_here=True,
        )
        for i in range(servers)
    ]
    return Crew(host, shards, hosts, export)
