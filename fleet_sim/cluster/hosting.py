"""What a decoder server hosts, versions with their heads and banks, and what it finds out about them."""

from typing import Any

import numpy as np

from fleet_sim.cluster.bank import Bank, BankPart, with_head, with_version
from fleet_sim.cluster.calibration import Calibration, Curves, curves_of
from fleet_sim.cluster.codings import Coding, bank_part, coding_of, head_part
from fleet_sim.cluster.resident import Resident
from fleet_sim.cluster.sends import LATENTS, Sends
from fleet_sim.cluster.version import Version
from fleet_sim.codec.batches import few_at_a_time
from fleet_sim.codec.confidence import Confidence
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.engine.sent import Sent
from fleet_sim.engine.weighings import says
from fleet_sim.registry import Bundle


class Hosting(Resident):
    """Versions on one device, each encoder with its heads."""

    def __init__(self, spec: CodecSpec, device: str):
        self._spec, self._device = spec, device
        self.reset()

    def reset(self) -> None:
        """No scenes, no versions."""
        self._images_FHWC, self._labels_F = np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0, np.int64)
        self._versions: list[Version] = []
        self._codings: dict[tuple[int, Sends], Coding] = {}
        self._banks: dict[Sends, Bank] = {}

    def see(self, images_FHWC: np.ndarray, labels_F: np.ndarray) -> None:
        """Take the scenes that cameras see, with what is right to answer."""
        self._images_FHWC, self._labels_F = images_FHWC, labels_F

    def add_version(self, encoder: Bundle, *heads: Bundle) -> None:
        """Take up an encoder version with its heads, beside those already hosted."""
        self._versions.append(Version(self._spec, encoder, heads, self._device))

    def take_up(self, version: int, place: int, head: Bundle) -> None:
        """Host a retrained head too, at this place, for the encoder that it was made for."""
        self._versions[version].take_up(place, head)

    def head_part(self, first: int, last: int, version: int, place: int) -> np.ndarray:
        """Which of scenes first .. last - 1 a retrained head answers rightly at each level, (L, F)."""
        images_FHWC, labels_F = self._images_FHWC[first:last], self._labels_F[first:last]
        return head_part(self._versions[version], place, images_FHWC, labels_F)

    def add_answers(self, version: int, place: int, right_LF: np.ndarray) -> None:
        """Take up what a retrained head answers to every scene."""
        self._banks[LATENTS] = with_head(self._banks[LATENTS], version, place, right_LF)

    def bank_part(
        self, first: int, last: int, version: int, sends: Sends, clear: int, answers: bool = False
    ) -> list[Any]:
        """[sums over clear scenes, those below `clear`; BankPart] of scenes first .. last - 1.

        `answers`: whether the classes that heads give are kept.
        """
        coding = self._coding(version, sends)
        part = bank_part(coding, self._images_FHWC[first:last], self._labels_F[first:last], answers)
        below = max(0, clear - first)
        sums = {
            "payload_bits_L": 8 * part.payload_bytes_LF[:, :below].sum(axis=1, dtype=np.int64),
            "ideal_millibits_L": part.ideal_millibits_LF[:, :below].sum(axis=1, dtype=np.int64),
            "right_HL": part.right_HLF[:, :, :below].sum(axis=2, dtype=np.int64),
        }
        return [sums, part]

    def calibrate(
        self, version: int, sends: Sends, images_FHWC: np.ndarray, labels_F: np.ndarray, estimates: bool
    ) -> Calibration:
        """Calibration of a version on images that are not what cameras see."""
        right_HLF = bank_part(self._coding(version, sends), images_FHWC, labels_F).right_HLF
        confidence_H: tuple[Confidence, ...] = ()
        if estimates:
            latent_FN, ladder = self._versions[version].encoder.latents(images_FHWC), self._spec.ladder
            confidence_H = tuple(Confidence.fit(latent_FN, labels_F, right, ladder) for right in right_HLF)
        return Calibration(right_HLF.mean(axis=2), confidence_H)

    def answers(
        self, version: int, sends: Sends, images_FHWC: np.ndarray, labels_F: np.ndarray
    ) -> np.ndarray:
        """(H, L, n) uint16 classes that heads give to images that are not what cameras see."""
        return bank_part(self._coding(version, sends), images_FHWC, labels_F, answers=True).answer_HLF

    def curves(
        self, version: int, sends: Sends, images_FHWC: np.ndarray, labels_F: np.ndarray, shares_GK: np.ndarray
    ) -> Curves:
        """Curves of a version for G mixes of classes on images that are not what cameras see."""
        part = bank_part(self._coding(version, sends), images_FHWC, labels_F)
        return curves_of(part.payload_bytes_LF, part.right_HLF, labels_F, shares_GK)

    def estimate(
        self, version: int, calibration: Calibration, first: int = 0, last: int | None = None
    ) -> np.ndarray:
        """(H, F, L) how likely each head is right of scenes first .. last - 1, all without, by their latents.

        In ten-thousandths; as cameras estimate it, where the calibration is what they have.
        """
        latent_FN = self._versions[version].encoder.latents(self._images_FHWC[first:last])
        return np.stack([confidence.estimate(latent_FN) for confidence in calibration.confidence_H])

    def add_bank(self, part: BankPart, sends: Sends = LATENTS) -> None:
        """Take up the bank of the next version for cameras that send this, with every scene in it."""
        self._banks[sends] = with_version(self._banks.get(sends), part)

    def _coding(self, version: int, sends: Sends) -> Coding:
        if (version, sends) not in self._codings:
            size = self._images_FHWC.shape[1]
            self._codings[version, sends] = coding_of(sends, self._versions[version], size)
        return self._codings[version, sends]

    def says(self, version: int, images_FHWC: np.ndarray) -> np.ndarray:
        """(L, F, Q) bool: what messages of images that are not what cameras see say of their encoder."""
        hosted = self._versions[version]
        seen_F, expected_L1 = hosted.see(images_FHWC), hosted.tables.expected_millibits_L[:, None]
        millibits_LF = hosted.ideal_millibits(seen_F, np.zeros((hosted.levels, 0), np.int64))
        return says(millibits_LF, hosted.escaped(seen_F), expected_L1)

    @property
    def _expected_millibits_VL(self) -> np.ndarray:
        return np.array([version.tables.expected_millibits_L for version in self._versions])

    def _weigh(
        self, frames: Sent, begun_m: np.ndarray, messages: list[bytes]
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ideal millibits, is a value escaped?) of all frames (M,), read from the bytes of those begun."""
        millibits_M = np.zeros(len(frames.camera), np.int64)
        escaped_M = np.zeros(len(frames.camera), np.bool_)
        kinds = np.stack([frames.version, frames.level], axis=1)[begun_m]
        for version, level in np.unique(kinds, axis=0):
            here = np.flatnonzero((kinds == (version, level)).all(axis=1))
            of_kind = self._versions[version].weigh([messages[m] for m in here], level)
            millibits_M[begun_m[here]], escaped_M[begun_m[here]] = of_kind
        return millibits_M, escaped_M

    def _answers(self, frames: Sent, head_M: np.ndarray, messages: list[bytes], sends: Sends) -> np.ndarray:
        """Decode and classify these messages: the classes that these heads give, (M,)."""
        answer_M = np.empty(len(messages), np.int64)
        groups = np.stack([frames.version, head_M, frames.level], axis=1)
        for version, head, level in np.unique(groups, axis=0):
            coding, of_group = self._coding(int(version), sends), groups == (version, head, level)
            for here in few_at_a_time(np.flatnonzero(of_group.all(axis=1)), self._spec.batch):
                read_m = coding.read([messages[m] for m in here], level)
                answer_M[here] = coding.classify(read_m, level, head)
        return answer_M

    def _code_again(self, frames: Sent, scene_M: np.ndarray, sends: Sends) -> list[bytes]:
        """The messages of these frames, made anew from their scenes."""
        messages = [b""] * len(scene_M)
        for version in np.unique(frames.version):
            coding = self._coding(int(version), sends)
            for here in few_at_a_time(np.flatnonzero(frames.version == version), self._spec.batch):
                seen_m = coding.see(self._images_FHWC[scene_M[here]])
                for i, m in enumerate(here):
                    level, frame_1 = int(frames.level[m]), frames.frame[m : m + 1]
                    messages[m] = coding.code(seen_m[i : i + 1], level, frame_1)[0]
        return messages
