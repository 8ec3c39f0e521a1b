"""A fleet at work: shards, servers and registry of one run, driven through its sweep points."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.cluster.crews import new_crew
from fleet_sim.cluster.deployment import Deployment
from fleet_sim.cluster.epochs import fleet_of, head_schedule
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.pace import server_members, share_out
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.published import Published
from fleet_sim.cluster.released import Update
from fleet_sim.cluster.retraining import Retraining, lessons_of
from fleet_sim.cluster.scenes import Scenes
from fleet_sim.cluster.sends import LATENTS, Sends, sends_of
from fleet_sim.cluster.simulation import Crew, Watcher, simulate
from fleet_sim.codec.received import Received
from fleet_sim.control.names import estimates, own
from fleet_sim.engine.best import Best, best_of
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.registry.lessons import Lessons
from fleet_sim.scenario import Scenario, digest_fields
from fleet_sim.serving.alarm_spec import BitsAlarmSpec


class Session(Deployment):
    """As many crews of members as there are `exports`, each at one sweep point at a time beside the others.

    `servers` is the most server members that any point wants; one with fewer uses the first of them.
    """

    def __init__(
        self,
        host: Host,
        registry: Member,
        scenario: Scenario,
        scenes: Scenes,
        servers: int,
        exports: Sequence[Export],
        banked: Callable[[int, int], None],
        sends: Sequence[Sends] = (LATENTS,),
    ):
        self._crews = [
            new_crew(host, scenario, number, servers, export) for number, export in enumerate(exports)
        ]
        super().__init__(host, registry, scenario, scenes, self._crews, banked, sends)
        self._best: dict[str, Best] = {}
        self._audited = [0] * len(self._crews)
        self._warm()

    def _warm(self) -> None:
        """Let one shard and one server compile while training goes on; the others find it done."""
        least = self.fleet_of(self._scenario)._replace(cameras=1, cells=1, duration_us=1, scenes=1)
        point = Point(
            least,
            named_cells=(),
            versions=1,
            heads=len(self._scenario.heads),
            live=False,
            servers_of_member=(1,),
            releases=self._scenario.rollout is not None,
        )
        self._shards[0].ask("warm", point)
        if self._servers:
            self._servers[0].ask("warm", point, head_schedule(self._scenario))

    def retraining(self, point: Scenario, fit: Callable[[int, Lessons], str], number: int = 0) -> Retraining:
        """The heads to be retrained in a point that crew `number` is to simulate."""
        crew = self._crew_of(point, number)
        parents = [head.name for head in point.train.heads if head.kind == "ce"][:1]

        def fitted(place: int, of: int, received: Received) -> str:
            version = self.deployed[of]
            encoder = self._host.get(self._load(version.encoder))
            parent = self._host.get(self._load(version.heads[parents[0]])) if parents else None
            return fit(place, Lessons(received, encoder, parent))

        def take_up(of: int, place: int, version: str) -> None:
            self._registry.ask("deploy", self.deployed[of].encoder, (version,)).wait()
            head = self._load(version)
            for server in crew.servers:
                server.lasting("take_up", of, place, head)
            if point.mode == "bank":
                pieces = self._surveys.in_pieces(crew.servers, "head_part", of, place)
                parts = [self._host.get(pending.wait()[0]) for _, pending in pieces]
                right_LF = self._host.put(np.concatenate(parts, axis=1))
                for server in crew.servers:
                    server.lasting("add_answers", of, place, right_LF)

        return Retraining(point, self._host, crew.servers, fitted, take_up)

    def _crew_of(self, point: Scenario, number: int) -> Crew:
        crew = self._crews[number]
        return replace(crew, servers=crew.servers[: server_members(point)])

    def fleet_of(self, point: Scenario) -> Fleet:
        """The constants of one sweep point."""
        return fleet_of(point, self._scenes.images, self._scenes.views, self._scenes.classes)

    @property
    def classes(self) -> int:
        """How many the heads tell apart."""
        return self._scenes.classes

    @property
    def crews(self) -> int:
        """How many sweep points can be simulated at the same time."""
        return len(self._crews)

    @property
    def audited(self) -> int:
        """Answers of a bank done again live and found equal."""
        return sum(self._audited)

    def oracle(self, point: Scenario) -> Best:
        """The best there could have been at a sweep point; found once for points that differ in control."""
        fleet = self.fleet_of(point)
        fields = {name: value for name, value in digest_fields(point).items() if name != "control"}
        key = sha256_hex(canonical_json([fields, fleet.encode_us]))
        if key not in self._best:
            head = [head.name for head in point.train.heads].index(point.serving.head)
            self._best[key] = best_of(fleet, self._knowledge[sends_of(point)].of_head(head))
        return self._best[key]

    def simulate(
        self,
        point: Scenario,
        watcher: Watcher,
        updates: Sequence[Update] = (),
        number: int = 0,
        retraining: Retraining | None = None,
    ) -> Counts:
        """All of one sweep point's virtual time, by crew `number`; raises RunError if a frame got lost.

        `retraining` is this point's and crew's, where heads are retrained. Updates not yet deployed are taken
        up on the way, in order of time, by all crews: beside a point that takes one up no other may be
        simulated.
        """
        fleet = self.fleet_of(point)
        members, alarm = server_members(point), point.serving.alarm
        setup = Point(
            fleet=fleet,
            named_cells=point.report.cells,
            versions=1 + len(updates),
            heads=len(point.heads),
            live=point.mode == "live",
            servers_of_member=share_out(point.serving.servers, members),
            head=[head.name for head in point.train.heads].index(point.serving.head),
            estimates=estimates(point.control.controller),
            controller=point.control.controller,
            own_controller=own(point.control.controller),
            window_us=alarm.window_us if isinstance(alarm, BitsAlarmSpec) else 0,
            sends=sends_of(point),
            releases=point.rollout is not None,
            shadows=point.unlabelled,
            weighs=point.unlabelled and point.air is not None,
            lessons=lessons_of(point),
            classes=self.classes,
        )
        crew = self._crew_of(point, number)
        export = crew.export
        froms_us = [0, *(update.from_us for update in updates)]
        export.begin(fleet, [version.encoder for version in self.deployed])

        def published_at(at_us: int) -> Published:
            for update in updates[len(self.deployed) - 1 :]:
                if update.from_us == at_us < fleet.duration_us:
                    self.deploy(update.version())
                    if point.air:
                        self._weigh()
                    export.versions([version.encoder for version in self.deployed])
            sends = point.air.send if point.air else "whole"
            contents = [weighed[sends] for weighed in self.packed]
            stated = self._stated.get(sends_of(point), [])
            return Published(froms_us[: len(self.deployed)], [(), *contents], stated)

        counts, audited = simulate(crew, setup, point, froms_us, published_at, watcher, retraining)
        self._audited[number] += audited
        export.end(counts)
        return counts
