"""A fleet at work: shards, servers and registry of one run, driven through its sweep points."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fleet_sim.basics.errors import RunError
from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.cluster.epochs import fleet_of, head_schedule
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host, Ref
from fleet_sim.cluster.knowledge import Knowledge
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.pace import server_members, share_out
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.released import Deployed, Packed, Rung, Update, packed
from fleet_sim.cluster.retraining import Retraining, lessons_of
from fleet_sim.cluster.rollout import Published
from fleet_sim.cluster.scenes import Scenes
from fleet_sim.cluster.sends import LABEL, LATENT, LATENTS, Sends, mean_payload_bits, sends_of
from fleet_sim.cluster.server import DecoderServer
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.cluster.simulation import Crew, Watcher, simulate
from fleet_sim.cluster.surveys import Surveys
from fleet_sim.codec.contract import contract_id
from fleet_sim.control.names import estimates, own
from fleet_sim.engine.best import Best, best_of
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.registry.lessons import Lessons
from fleet_sim.scenario import Scenario, digest_fields
from fleet_sim.serving.alarm_spec import BitsAlarmSpec


class Session:
    """Members of one run, and the scenes that cameras see.

    Members form as many crews as there are `exports`; each crew simulates one sweep point at a time, beside
    the others. `servers` is the most server members that any point wants; one with fewer uses the first of
    them. `banked` is told how many of the scenes are in the bank that is being made, and of how many; there
    is one for each of `sends`, all that cameras send at some point.
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
        self._host, self._scenario = host, scenario
        self._scenes, self._sends = scenes, sends
        self._validation = [host.put(part) for part in scenes.validation] if scenario.observes else None
        self._stated: dict[Sends, np.ndarray] = {}  # classes that heads give to validation images
        self._registry = registry
        self._images, self._labels = host.put(scenes.images_FHWC), host.put(scenes.labels_F)
        self._crews = [self._crew(number, servers, export) for number, export in enumerate(exports)]
        self._servers = [server for crew in self._crews for server in crew.servers]
        self._shards = [shard for crew in self._crews for shard in crew.shards]
        self._surveys = Surveys(host, self._servers, scenario, scenes, banked)
        for server in self._servers:
            server.lasting("see", self._images, self._labels)
        self.deployed: list[Deployed] = []
        self.ladder: list[Rung] = []
        self._best: dict[str, Best] = {}
        self._knowledge: dict[Sends, Knowledge] = {}
        self.packed: list[Packed] = []  # of each version but the first
        self._audited = [0] * len(self._crews)
        self._contract_ids: set[int] = set()
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

    def _crew(self, number: int, servers: int, export: Export) -> Crew:
        scenario, of_crew = self._scenario, f"-of-crew-{number}" if number else ""
        shards = [
            Member(
                self._host,
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
                self._host,
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
        return Crew(self._host, shards, hosts, export)

    def retraining(self, point: Scenario, fit: Callable[[int, Lessons], str], number: int = 0) -> Retraining:
        """The heads to be retrained in a point that crew `number` is to simulate."""
        crew = self._crew_of(point, number)
        (first,) = self.deployed
        encoder = self._host.get(self._load(first.encoder))
        parents = [head.name for head in point.train.heads if head.kind == "ce"][:1]
        parent = self._host.get(self._load(first.heads[parents[0]])) if parents else None

        def take_up(place: int, version: str) -> None:
            self._registry.ask("deploy", first.encoder, (version,)).wait()
            head = self._load(version)
            for server in crew.servers:
                server.lasting("take_up", place, head)
            if point.mode == "bank":
                pieces = self._surveys.in_pieces(crew.servers, "head_part", place)
                parts = [self._host.get(pending.wait()[0]) for _, pending in pieces]
                right_LF = self._host.put(np.concatenate(parts, axis=1))
                for server in crew.servers:
                    server.lasting("add_answers", place, right_LF)

        return Retraining(
            point,
            self._host,
            crew.servers,
            lambda place, received: fit(place, Lessons(received, encoder, parent)),
            take_up,
        )

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
    def restarts(self) -> int:
        """How often a member died and was set up again."""
        return sum(member.restarts for member in [self._registry, *self._shards, *self._servers])

    @property
    def audited(self) -> int:
        """Answers of a bank done again live and found equal."""
        return sum(self._audited)

    def deploy(self, version: Deployed) -> None:
        """Give every member an encoder with its heads, and its bank unless the run is live."""
        place = len(self.deployed)
        names = [head.name for head in self._scenario.train.heads]
        self._registry.ask("deploy", version.encoder, tuple(version.heads[name] for name in names)).wait()
        encoder = self._load(version.encoder)
        heads = [self._load(version.heads[name]) for name in names]
        for server in self._servers:
            server.lasting("add_version", encoder, *heads)
        bundle = self._host.get(encoder)
        identity = contract_id(bundle.manifest["contract_hash"])
        if identity in self._contract_ids:
            raise RunError("two encoders of this run share their contract id; train with another seed")
        self._contract_ids.add(identity)
        for sends in self._sends:
            bits_L = bundle.tensors["tables"]["mean_payload_bits_L"]
            if sends.codec != LATENT:
                bits_L = mean_payload_bits(sends, self._scenes.trained_on_MHWC)
            self._deploy_coding(version, place, sends, bits_L, encoder, heads)
        self.deployed.append(version)

    def _deploy_coding(
        self, version: Deployed, place: int, sends: Sends, bits_L: np.ndarray, encoder: Ref, heads: list[Ref]
    ) -> None:
        """Give every member what it needs for cameras that send this; measure its ladder on the scenes."""
        bank, sums = self._surveys.bank(place, sends)
        live = self._scenario.mode == "live"
        calibration = None
        estimate_HFL = None
        if self._validation is not None:
            wanted, server = self._scenario.estimates and sends.codec == LATENT, self._servers[0]
            calibration = server.ask("calibrate", place, sends, *self._validation, wanted).wait()[0]
            if wanted and not live:
                estimate_HFL = server.ask("estimate", place, calibration).wait()[0]
        if self._scenario.compares:
            self._stated[sends] = self._surveys.answers(place, sends)
        curves = self._surveys.curves(place, sends) if self._scenario.allocates else None
        if not live:
            for server in self._servers:
                server.lasting("add_bank", bank, sends)
        for shard in self._shards:
            part = None if live else bank
            shard.lasting("add_version", bits_L, part, calibration, estimate_HFL, curves, sends)
            if live:
                run = heads if sends.codec == LABEL else []
                shard.lasting("add_live", self._scenario.codec, self._images, sends, encoder, *run)
        if self._scenario.report.oracle:
            self._knowledge[sends] = self._surveys.known_to_oracles(place, sends, self._host.get(bank))
        images = self._scenes.images  # the clear ones
        pixels = images * self._scenario.data.image_size**2
        latent = sends.codec == LATENT
        for h, name in enumerate(version.heads):
            if sends.codec == LABEL and h != sends.head:
                continue
            for level in range(len(bits_L)):
                self.ladder.append(
                    Rung(
                        version.encoder,
                        name if latent else f"{name}, {sends.codec}",
                        level,
                        self._scenario.codec.ladder[level] if latent else 0,
                        round(float(sums["ideal_millibits_L"][level]) / 1000 / pixels, 6),
                        round(float(sums["payload_bits_L"][level]) / pixels, 6),
                        round(float(sums["right_HL"][h, level]) / images, 6),
                    )
                )

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
            shadows=point.shadows,
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
            return Published(froms_us[: len(self.deployed)], [0, *contents])

        stated_HLn = self._stated[sends_of(point)] if point.shadows else None
        counts, audited = simulate(
            crew, setup, point, froms_us, published_at, watcher, retraining, stated_HLn
        )
        self._audited[number] += audited
        export.end(counts)
        return counts

    def _weigh(self) -> None:
        """See what brings the encoder deployed last to a camera that has the one before."""
        before, after = (self._host.get(self._load(version.encoder)) for version in self.deployed[-2:])
        self.packed.append(packed(before, after))

    def _load(self, version: str) -> Ref:
        return self._registry.ask("load", version).wait()[0]
