"""What cameras may send instead of latents, with the same networks behind it: a label, or a picture.

Every coding goes from frames to messages and from messages to answers in the same steps, so bank, live
cameras and audits treat all alike. Shapes: M frames, F scenes, L levels, H heads.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import sha256_hex
from fleet_sim.cluster.bank import NO_ANSWERS, BankPart
from fleet_sim.cluster.sends import LABEL, LATENT, Sends
from fleet_sim.cluster.version import Version
from fleet_sim.codec import pictures
from fleet_sim.codec.contract import contract_id
from fleet_sim.codec.envelope import HEADER_BYTES, WHOLE, inspect, wrap
from fleet_sim.codec.head import Head
from fleet_sim.codec.message import MessageError
from fleet_sim.codec.ragged import Ragged, join, split


class Coding(Protocol):
    """From frames to messages on a camera, and from messages to answers on a server."""

    @property
    def heads(self) -> list[Head]:
        """What reads its messages."""

    @property
    def levels(self) -> int:
        """How many there are."""

    def see(self, images_MHWC: np.ndarray) -> np.ndarray:
        """What a camera makes of frames, once for all levels; (M, ...)."""

    def code(self, seen_M: np.ndarray, level: int, sequence_M: np.ndarray) -> list[bytes]:
        """The messages of what was seen."""

    def ideal_millibits(self, seen_M: np.ndarray, payload_bytes_LM: np.ndarray) -> np.ndarray:
        """What an ideal coder would need for each frame at each level, (L, M)."""

    def escaped(self, seen_M: np.ndarray) -> np.ndarray:
        """Whether a frame's values are outside what the coder expects, (L, M)."""

    def read(self, messages: Sequence[bytes], level: int) -> np.ndarray:
        """What a server has of these messages of one level; raises MessageError for a damaged one."""

    def classify(self, read_M: np.ndarray, level: int, head: int) -> np.ndarray:
        """Classes (M,) that a head gives."""


def coding_of(sends: Sends, version: Version, image_size: int) -> Coding:
    """How a version's cameras and servers speak to each other."""
    if sends.codec == LATENT:
        return version
    if sends.codec == LABEL:
        return Labels(version, sends.head)
    return Pictures(version, sends.codec, image_size)


def bank_part(
    coding: Coding, images_FHWC: np.ndarray, labels_F: np.ndarray, answers: bool = False
) -> BankPart:
    """See, code to bytes, decode those bytes and classify every scene at every level.

    `answers`: whether the classes themselves are kept.
    """
    seen_F, sequence_F = coding.see(images_FHWC), np.arange(len(labels_F))
    payload_bytes_LF = np.empty((coding.levels, len(labels_F)), np.int32)
    answer_HLF = np.empty((len(coding.heads), coding.levels, len(labels_F)), np.uint16)
    for level in range(coding.levels):
        messages = coding.code(seen_F, level, sequence_F)
        payload_bytes_LF[level] = [len(message) - HEADER_BYTES for message in messages]
        read_F = coding.read(messages, level)
        for h in range(len(coding.heads)):
            answer_HLF[h, level] = coding.classify(read_F, level, h)
    ideal_LF = coding.ideal_millibits(seen_F, payload_bytes_LF).astype(np.int32)
    kept_HLF = answer_HLF if answers else NO_ANSWERS
    return BankPart(payload_bytes_LF, ideal_LF, answer_HLF == labels_F, coding.escaped(seen_F), kept_HLF)


def head_part(coding: Coding, head: int, images_FHWC: np.ndarray, labels_F: np.ndarray) -> np.ndarray:
    """Whether one head answers each scene rightly at each level, (L, F) bool, from real bytes as above."""
    seen_F, sequence_F = coding.see(images_FHWC), np.arange(len(labels_F))
    right_LF = np.empty((coding.levels, len(labels_F)), np.bool_)
    for level in range(coding.levels):
        read_F = coding.read(coding.code(seen_F, level, sequence_F), level)
        right_LF[level] = coding.classify(read_F, level, head) == labels_F
    return right_LF


class _Enveloped:
    """Payloads in the same envelope as latents, under a contract id of their own."""

    def __init__(self, version: Version, codec: str, levels: int):
        self._levels = levels
        self._version = version
        self._top = len(version.tables.ladder_L) - 1
        self._contract_id = contract_id(sha256_hex(f"{version.contract_id:06x} {codec}".encode()))

    @property
    def heads(self) -> list[Head]:
        """Those of the version."""
        return self._version.heads

    @property
    def levels(self) -> int:
        """How many there are."""
        return self._levels

    def ideal_millibits(self, seen_M: np.ndarray, payload_bytes_LM: np.ndarray) -> np.ndarray:
        """There is no model of these payloads: what they take."""
        return 8000 * payload_bytes_LM.astype(np.int64)

    def escaped(self, seen_M: np.ndarray) -> np.ndarray:
        """Nothing is."""
        return np.zeros((self.levels, len(seen_M)), np.bool_)

    def _wrapped(self, payloads: Sequence[bytes], level: int, sequence_M: np.ndarray) -> list[bytes]:
        messages = wrap(*join(payloads), self._contract_id, level, np.asarray(sequence_M, np.int64))
        return split(Ragged(*messages))

    def _payloads(self, messages: Sequence[bytes], level: int) -> list[bytes]:
        level_M, _, verdict_M = inspect(*join(messages), self._contract_id)
        if (verdict_M != WHOLE).any():
            raise MessageError("corrupt", "the check does not fit the bytes")
        if (level_M != level).any():
            raise RuntimeError(f"messages of levels {set(level_M.tolist())} were delivered as level {level}")
        return [message[HEADER_BYTES:] for message in messages]

    def _answers(self, images_MHWC: np.ndarray, head: int) -> np.ndarray:
        """What the whole network says of pictures: its encoder's latent with no neuron left out."""
        latent_MN = self._version.encoder.latents(images_MHWC)
        return self._from_latents(latent_MN, head)

    def _from_latents(self, latent_MN: np.ndarray, head: int) -> np.ndarray:
        kept = int(self._version.tables.ladder_L[self._top])
        return self._version.heads[head].classify(latent_MN[:, :kept], self._top)


class Pictures(_Enveloped):
    """Cameras code pictures; a server decodes them and runs encoder and head."""

    def __init__(self, version: Version, codec: str, image_size: int):
        self._settings = pictures.ladder(codec, image_size)
        self._size = image_size
        super().__init__(version, codec, len(self._settings))

    def see(self, images_MHWC: np.ndarray) -> np.ndarray:
        """The pictures themselves."""
        return images_MHWC

    def code(self, seen_M: np.ndarray, level: int, sequence_M: np.ndarray) -> list[bytes]:
        """Pictures at the quality of this level."""
        return self._wrapped(pictures.coded(seen_M, self._settings[level]), level, sequence_M)

    def read(self, messages: Sequence[bytes], level: int) -> np.ndarray:
        """Latents of the decoded pictures, which all heads read."""
        payloads = self._payloads(messages, level)
        return self._version.encoder.latents(pictures.decoded(payloads, self._settings[level], self._size))

    def classify(self, read_M: np.ndarray, level: int, head: int) -> np.ndarray:
        """What a head says."""
        return self._from_latents(read_M, head)


class Labels(_Enveloped):
    """Cameras run the whole network, with one head, and send the class: one byte."""

    def __init__(self, version: Version, head: int):
        super().__init__(version, LABEL, levels=1)
        self._head = head

    def see(self, images_MHWC: np.ndarray) -> np.ndarray:
        """The class of each frame, uint8."""
        label_M = self._answers(images_MHWC, self._head)
        if label_M.max(initial=0) > 255:
            raise UserError("camera.codec: a label is one byte, so there are at most 256 classes")
        return label_M.astype(np.uint8)

    def code(self, seen_M: np.ndarray, level: int, sequence_M: np.ndarray) -> list[bytes]:
        """A byte a frame."""
        return self._wrapped([bytes([label]) for label in seen_M.tolist()], level, sequence_M)

    def read(self, messages: Sequence[bytes], level: int) -> np.ndarray:
        """The classes."""
        return np.frombuffer(b"".join(self._payloads(messages, level)), np.uint8).astype(np.int64)

    def classify(self, read_M: np.ndarray, level: int, head: int) -> np.ndarray:
        """What the camera said, whatever heads the server has."""
        return read_M
