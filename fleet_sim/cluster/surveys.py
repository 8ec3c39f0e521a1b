"""What servers find out about a version over all scenes, or over validation images, before a run needs it."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.cluster.bank import BankPart, joined
from fleet_sim.cluster.calibration import Curves
from fleet_sim.cluster.host import Host, Ref
from fleet_sim.cluster.knowledge import Knowledge, without_estimates
from fleet_sim.cluster.member import Member, Pending
from fleet_sim.cluster.scenes import Scenes
from fleet_sim.cluster.sends import LATENT, Sends
from fleet_sim.data.weather import seen
from fleet_sim.scenario import Scenario


class Surveys:
    """Asked of the servers of a run; `banked` is told how many of all scenes are in a bank by now."""

    def __init__(
        self,
        host: Host,
        servers: Sequence[Member],
        scenario: Scenario,
        scenes: Scenes,
        banked: Callable[[int, int], None],
    ):
        self._host, self._servers, self._scenario = host, servers, scenario
        self._scenes, self._banked = scenes, banked

    def bank(self, place: int, sends: Sends) -> tuple[Ref, dict[str, np.ndarray]]:
        """The bank of a version and of what cameras send, by all servers together; sums over clear scenes.

        It is put together here, on the driver's machine, so that no other need stay alive for it, and lies in
        the object store, which copies it to each machine once.
        """
        scenes, clear = len(self._scenes.labels_F), self._scenes.images
        parts: list[BankPart] = []
        sums: dict[str, Any] = {}
        asked = (place, sends, clear, self._scenario.compares)
        for done, pending in self.in_pieces(self._servers, "bank_part", *asked, returns=2):
            sum_ref, part = pending.wait()
            for name, value in self._host.get(sum_ref).items():
                sums[name] = sums.get(name, 0) + value
            parts.append(self._host.get(part))
            self._banked(done, scenes)
        return self._host.put(joined(parts)), sums

    def answers(self, place: int, sends: Sends) -> np.ndarray:
        """(H, L, n) classes that heads give to validation images."""
        images, labels = (self._host.put(part) for part in self._scenes.validation)
        answer_HLn: np.ndarray = self._host.get(
            self._servers[0].ask("answers", place, sends, images, labels).wait()[0]
        )
        return answer_HLn

    def says(self, place: int) -> np.ndarray:
        """(L, n, Q) what messages of validation images say of their encoder."""
        images = self._host.put(self._scenes.validation[0])
        says_LnQ: np.ndarray = self._host.get(self._servers[0].ask("says", place, images).wait()[0])
        return says_LnQ

    def curves(self, place: int, sends: Sends) -> Curves:
        """Of every group, look by look."""
        seen_G, (images_FHWC, labels_F) = self._scenes.first_seen_G, self._scenes.validation
        labels = self._host.put(labels_F)
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for look in sorted({stage.look for stage in seen_G}):
            groups = [group for group, stage in enumerate(seen_G) if stage.look == look]
            images = self._host.put(seen(images_FHWC, self._scenes.looks[look], self._scenario.seed))
            shares_GK = np.stack([seen_G[group].shares_K for group in groups])
            of_look = self._servers[0].ask("curves", place, sends, images, labels, shares_GK).wait()[0]
            curves: Curves = self._host.get(of_look)
            found |= dict(
                zip(groups, zip(curves.payload_bits_GL, curves.right_GHL, strict=True), strict=True)
            )
        bits_GL, right_GHL = zip(*(found[group] for group in range(len(seen_G))), strict=True)
        return Curves(np.stack(bits_GL), np.stack(right_GHL))

    def known_to_oracles(self, place: int, sends: Sends, bank: BankPart) -> Knowledge:
        """What oracles know of scenes, each look calibrated on validation images in that look."""
        images_FHWC, labels_F = self._scenes.validation
        labels, server, latent = self._host.put(labels_F), self._servers[0], sends.codec == LATENT
        worth = []
        for look, kind in enumerate(self._scenes.looks):
            images = self._host.put(seen(images_FHWC, kind, self._scenario.seed))
            made = server.ask("calibrate", place, sends, images, labels, latent).wait()[0]
            first, scenes = look * self._scenes.images, self._scenes.images
            if latent:
                worth.append(
                    self._host.get(server.ask("estimate", place, made, first, first + scenes).wait()[0])
                )
            else:
                worth.append(without_estimates(self._host.get(made), scenes))
        return Knowledge(bank.payload_bytes_LF.T, np.concatenate(worth, axis=1), bank.right_HLF)

    def in_pieces(
        self, servers: Sequence[Member], method: str, *args: object, returns: int = 1
    ) -> list[tuple[int, Pending]]:
        """Ask servers for pieces of all scenes, by turns: (end of each piece, what was asked), in order."""
        batch, scenes = self._scenario.codec.batch, len(self._scenes.labels_F)
        batches, pieces = -(-scenes // batch), 4 * len(servers)
        bounds = sorted({min(scenes, batches * i // pieces * batch) for i in range(pieces + 1)})
        return [
            (last, servers[i % len(servers)].ask(method, first, last, *args, returns=returns))
            for i, (first, last) in enumerate(pairwise(bounds))
        ]
