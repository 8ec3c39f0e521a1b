"""One sweep point from its first microsecond to its last: shards and servers step side by side."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet_sim.cluster.epochs import batching_of, head_schedule
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host
from fleet_sim.cluster.member import Member, Part, Pending
from fleet_sim.cluster.pace import epoch_ends, pace_of
from fleet_sim.cluster.pools import pools_of
from fleet_sim.cluster.server import Progress
from fleet_sim.cluster.shard import Moved, Point
from fleet_sim.engine.air import Known
from fleet_sim.engine.counts import Counts
from fleet_sim.scenario import Scenario


class Watcher(Protocol):
    """Is told how far a sweep point is; ends it by an exception."""

    def advance(self, virtual_us: int, of_us: int) -> None:
        """Virtual time has moved on."""


@dataclass(frozen=True)
class Crew:
    """Who simulates one sweep point after another, and who is told what they counted."""

    host: Host
    shards: list[Member]
    servers: list[Member]
    export: Export


def simulate(
    crew: Crew,
    setup: Point,
    point: Scenario,
    stops_us: Sequence[int],
    known_at: Callable[[int], Known],
    watcher: Watcher,
) -> tuple[Counts, int]:
    """(counts of the whole point, answers audited); raises RunError if a frame got lost.

    Servers answer one epoch while shards simulate the next. `known_at` is asked at the start and at every
    epoch's end, `stops_us` among them: what do members know of versions by then?
    """
    batching, schedule = batching_of(point), head_schedule(point)
    pools = pools_of(point, batching, schedule)
    for shard in crew.shards:
        shard.begin("begin", setup)
    for server in crew.servers:
        server.begin("begin", setup, batching, round(point.audit * 1_000_000), pools)
    pace, duration_us = pace_of(point), setup.fleet.duration_us
    ends_us = epoch_ends(duration_us, pace.epoch_us, stops_us)
    audited = 0

    def step_shards(place: int) -> list[Pending]:
        keep = (place + 1) % pace.snapshot_every == 0
        returns = 2 + len(crew.servers)
        return [
            shard.advance("step", ends_us[place], known, keep, returns=returns, snapshot=keep)
            for shard in crew.shards
        ]

    known = known_at(0)
    stepping = step_shards(0)
    for place, until_us in enumerate(ends_us):
        began = time.perf_counter()
        moved = [step.wait() for step in stepping]
        serving = [
            server.advance("step", until_us, schedule, *(Part(step, 2 + i) for step in stepping), returns=2)
            for i, server in enumerate(crew.servers)
        ]
        known = known_at(until_us)
        if place + 1 < len(ends_us):
            stepping = step_shards(place + 1)
        answered = [answer.wait() for answer in serving]
        audited += _commit(crew, [refs[0] for refs in moved], [refs[0] for refs in answered])
        crew.export.reached(until_us, 1000 * (time.perf_counter() - began))
        watcher.advance(until_us, duration_us)

    parts = [shard.ask("finish", known) for shard in crew.shards]
    parts += [server.ask("finish") for server in crew.servers]
    counts = setup.nothing_counted()
    for part in parts:
        counts = counts + crew.host.get(part.wait()[0])
    counts.check_conservation()
    return counts, audited


def _commit(crew: Crew, counted: list[object], answered: list[object]) -> int:
    """Export what an epoch counted, and let go of all else it gave; how many answers were audited."""
    audited = 0
    for shard, ref in zip(crew.shards, counted, strict=True):
        moved: Moved = crew.host.get(ref)
        crew.export.counted(shard.name, moved.counted_VC, None)
    for server, ref in zip(crew.servers, answered, strict=True):
        progress: Progress = crew.host.get(ref)
        audited += progress.checked
        crew.export.counted(server.name, progress.counted_VC, progress.latency_VB)
    for member in [*crew.shards, *crew.servers]:
        member.settle()
    return audited
