"""What the members of a run were given: versions with their banks, and what was measured of them."""

from collections.abc import Callable, Sequence

import numpy as np

from fleet_sim.basics.errors import RunError
from fleet_sim.cluster.host import Host, Ref
from fleet_sim.cluster.knowledge import Knowledge
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.published import Stated
from fleet_sim.cluster.released import Deployed, Packed, packed
from fleet_sim.cluster.scenes import Scenes
from fleet_sim.cluster.sends import LABEL, LATENT, Sends, mean_payload_bits
from fleet_sim.cluster.simulation import Crew
from fleet_sim.cluster.surveys import Surveys
from fleet_sim.codec.contract import contract_id
from fleet_sim.engine.weighings import NOTHING_SAID
from fleet_sim.registry.ladder import Rung
from fleet_sim.scenario import Scenario


class Deployment:
    """Members of one run, what their cameras see, and the versions they have so far.

    `banked` is told how many of the scenes are in the bank that is being made, and of how many; there is one
    for each of `sends`, all that cameras send at some point.
    """

    def __init__(
        self,
        host: Host,
        registry: Member,
        scenario: Scenario,
        scenes: Scenes,
        crews: Sequence[Crew],
        banked: Callable[[int, int], None],
        sends: Sequence[Sends],
    ):
        self._host, self._scenario = host, scenario
        self._scenes, self._sends = scenes, sends
        self._validation = [host.put(part) for part in scenes.validation] if scenario.observes else None
        self._stated: dict[Sends, list[Stated]] = {}  # of each version, for guards without labels
        self._registry = registry
        self._images, self._labels = host.put(scenes.images_FHWC), host.put(scenes.labels_F)
        self._servers = [server for crew in crews for server in crew.servers]
        self._shards = [shard for crew in crews for shard in crew.shards]
        self._surveys = Surveys(host, self._servers, scenario, scenes, banked)
        for server in self._servers:
            server.lasting("see", self._images, self._labels)
        self.deployed: list[Deployed] = []
        self.ladder: list[Rung] = []
        self._knowledge: dict[Sends, Knowledge] = {}
        self.packed: list[Packed] = []  # of each version but the first
        self._contract_ids: set[int] = set()

    @property
    def restarts(self) -> int:
        """How often a member died and was set up again."""
        return sum(member.restarts for member in [self._registry, *self._shards, *self._servers])

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
            says_LnQ = self._surveys.says(place) if self._scenario.air else NOTHING_SAID
            stated = Stated(self._surveys.answers(place, sends), says_LnQ)
            self._stated.setdefault(sends, []).append(stated)
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
        self._add_to_ladder(version, sends, sums)

    def _add_to_ladder(self, version: Deployed, sends: Sends, sums: dict[str, np.ndarray]) -> None:
        """A rung for each level and each head that answers what cameras send; `sums` over clear scenes."""
        images = self._scenes.images  # the clear ones
        pixels = images * self._scenario.data.image_size**2
        latent = sends.codec == LATENT
        for h, name in enumerate(version.heads):
            if sends.codec == LABEL and h != sends.head:
                continue
            for level in range(len(sums["payload_bits_L"])):
                self.ladder.append(
                    Rung(
                        encoder=version.encoder,
                        head=name if latent else f"{name}, {sends.codec}",
                        level=level,
                        neurons=self._scenario.codec.ladder[level] if latent else 0,
                        bpp_ideal=round(float(sums["ideal_millibits_L"][level]) / 1000 / pixels, 6),
                        bpp_payload=round(float(sums["payload_bits_L"][level]) / pixels, 6),
                        accuracy=round(float(sums["right_HL"][h, level]) / images, 6),
                    )
                )

    def _weigh(self) -> None:
        """See what brings the encoder deployed last to a camera, which may have any of those before it."""
        *before, after = (self._host.get(self._load(version.encoder)) for version in self.deployed)
        self.packed.append(packed(before, after))

    def _load(self, version: str) -> Ref:
        return self._registry.ask("load", version).wait()[0]
