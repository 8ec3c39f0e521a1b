"""One sweep point from its first microsecond to its last: shards and servers step side by side."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from fleet_sim.cluster.epochs import batching_of
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host, Ref
from fleet_sim.cluster.member import Member, Part, Pending
from fleet_sim.cluster.pace import epoch_end, pace_of
from fleet_sim.cluster.point import Moved, Point
from fleet_sim.cluster.pools import pools_of
from fleet_sim.cluster.published import Published
from fleet_sim.cluster.retraining import Retraining
from fleet_sim.cluster.rollout import Rollout
from fleet_sim.cluster.server import Progress
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
    published_at: Callable[[int], Published],
    watcher: Watcher,
    retraining: Retraining | None = None,
) -> tuple[Counts, int]:
    """(counts of the whole point, answers audited); raises RunError if a frame got lost.

    Servers answer one epoch while shards simulate the next, but where something is decided by what was
    answered. `published_at` is asked at the start and at every epoch's end, `stops_us` among them.
    `retraining` is of points in which heads are retrained.
    """
    batching, rollout = batching_of(point), Rollout(point, setup.fleet, setup.versions)
    pools = pools_of(point, batching)
    for shard in crew.shards:
        shard.begin("begin", setup)
    for server in crew.servers:
        server.begin("begin", setup, batching, round(point.audit * 1_000_000), pools)
    pace, duration_us = pace_of(point), setup.fleet.duration_us
    steps, audited = count(1), 0

    def decision_us(now_us: int) -> int:
        """When something is decided next by what was answered; the end of the run if nothing is."""
        times = (rollout.next_us(now_us), retraining.next_us(now_us) if retraining else None)
        return min((time for time in times if time is not None), default=duration_us)

    def step_shards(now_us: int) -> tuple[int, list[Pending]]:
        stops = (*stops_us, decision_us(now_us))
        until_us = epoch_end(now_us, duration_us, pace.epoch_us, stops)
        keep, returns = next(steps) % pace.snapshot_every == 0, 2 + len(crew.servers)
        return until_us, [
            shard.advance("step", until_us, known, keep, returns=returns, snapshot=keep)
            for shard in crew.shards
        ]

    def take_in(moved: list[list[Ref]], serving: list[Pending]) -> int:
        """Wait for the answers of an epoch, and hear of labels and installs; how many were audited."""
        installs, progress = _commit(
            crew, [refs[0] for refs in moved], [answer.wait()[0] for answer in serving]
        )
        for of_shard in installs:
            rollout.hear_installs(of_shard.installs_N5)
        for of_server in progress:
            rollout.hear(of_server.labels_N5)
            rollout.hear_shown(of_server.shown)
            rollout.hear_weighed(of_server.weighed)
        return sum(of_server.checked for of_server in progress)

    known = rollout.decide(0, published_at(0))
    now_us, (until_us, stepping) = 0, step_shards(0)
    while now_us < duration_us:
        began = time.perf_counter()
        moved = [step.wait() for step in stepping]
        serving = [
            server.advance(
                "step", until_us, rollout.schedule, *(Part(step, 2 + i) for step in stepping), returns=2
            )
            for i, server in enumerate(crew.servers)
        ]
        decides = until_us == decision_us(now_us) < duration_us
        now_us = until_us
        published = published_at(now_us)
        known = rollout.known(published)
        if decides:
            audited += take_in(moved, serving)
            if retraining:
                for head, encoders in retraining.learn(now_us, rollout.encoders(now_us, published)):
                    rollout.take_up(head, encoders, now_us)
            known = rollout.decide(now_us, published)
        if now_us < duration_us:
            until_us, stepping = step_shards(now_us)
        if not decides:
            audited += take_in(moved, serving)
        crew.export.reached(now_us, 1000 * (time.perf_counter() - began))
        watcher.advance(now_us, duration_us)

    parts = [shard.ask("finish", known) for shard in crew.shards]
    parts += [server.ask("finish") for server in crew.servers]
    counts = setup.nothing_counted()
    for part in parts:
        counts = counts + crew.host.get(part.wait()[0])
    counts = replace(counts, events_E4=rollout.events_E4())
    counts.check_conservation()
    return counts, audited


def _commit(crew: Crew, counted: list[Ref], answered: list[Ref]) -> tuple[list[Moved], list[Progress]]:
    """Export what an epoch counted, and let go of all else it gave; what shards and servers say of it."""
    gone: list[Moved] = [crew.host.get(ref) for ref in counted]
    for shard, moved in zip(crew.shards, gone, strict=True):
        crew.export.counted(shard.name, moved.counted_VC, None)
    found: list[Progress] = [crew.host.get(ref) for ref in answered]
    for server, progress in zip(crew.servers, found, strict=True):
        crew.export.counted(server.name, progress.counted_VC, progress.latency_VB)
    for member in [*crew.shards, *crew.servers]:
        member.settle()
    return gone, found
