"""How work is cut into calls and shared among members. No result depends on any of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from fleet_sim.scenario import Scenario
from fleet_sim.scenario.parts import FleetSpec

FRAMES_A_CALL = 2_000_000  # of one shard: a fraction of a second of work, some 50 MB of deliveries
FRAMES_A_LIVE_CALL = 1_000  # a network runs for each
BYTES_A_CAMERA = 256
SNAPSHOT_BYTES_A_FRAME = 4  # copied for each frame simulated: little beside what simulating it costs ...
SMALL_SNAPSHOT_BYTES = 1_000_000  # ... unless it is as good as nothing


@dataclass(frozen=True)
class Pace:
    """How far a shard goes in one call, and after how many calls it leaves a snapshot."""

    epoch_us: int
    snapshot_every: int


def pace_of(point: Scenario) -> Pace:
    """The pace of a sweep point's shards.

    `auto` epochs are a whole number of control periods with about FRAMES_A_CALL frames of each shard, or an
    equal part of a period that has more than these.
    """
    cameras = point.fleet.cameras / point.cluster.shards
    live = point.mode == "live"
    frames_a_us = cameras * _frames_a_us(point.fleet)
    if point.cluster.epoch_us != "auto":
        epoch_us = point.cluster.epoch_us
    else:
        wanted_us = (FRAMES_A_LIVE_CALL if live else FRAMES_A_CALL) / frames_a_us
        periods = wanted_us / point.control.period_us
        if periods >= 1:
            epoch_us = int(periods) * point.control.period_us
        else:
            epoch_us = max(1, point.control.period_us // ceil(1 / periods))
    snapshot_bytes = max(SMALL_SNAPSHOT_BYTES, SNAPSHOT_BYTES_A_FRAME * frames_a_us * epoch_us)
    return Pace(epoch_us, 1 if live else ceil(BYTES_A_CAMERA * cameras / snapshot_bytes))


def _frames_a_us(fleet: FleetSpec) -> float:
    """Of a camera, in the mean over groups."""
    if not fleet.groups:
        return 1 / fleet.frame_period_us
    return sum(group.share / fleet.frame_period_of(group) for group in fleet.groups)


def epoch_end(now_us: int, duration_us: int, epoch_us: int, stops_us: Sequence[int | None]) -> int:
    """When shards and servers meet next: at the end of an epoch, at a stop, or at the end of the run."""
    times = ((now_us // epoch_us + 1) * epoch_us, *stops_us, duration_us)
    return min(time for time in times if time is not None and now_us < time <= duration_us)


def crews_for(scenario: Scenario, points: int, cores: int) -> int:
    """How many sweep points are simulated side by side: a core a shard; one where servers have GPUs."""
    return 1 if scenario.serving.num_gpus else max(1, min(points, cores // scenario.cluster.shards))


def server_members(point: Scenario) -> int:
    """How many members host a point's servers: one each where servers have GPUs, else no more than shards."""
    servers = point.serving.servers
    return servers if point.serving.num_gpus else min(servers, point.cluster.shards)


def share_out(servers: int, members: int) -> tuple[int, ...]:
    """How many servers each member hosts, as evenly as can be."""
    return tuple(servers * (i + 1) // members - servers * i // members for i in range(members))
