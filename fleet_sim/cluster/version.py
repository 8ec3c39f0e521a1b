"""A version ready to run: an encoder with its tables, and the heads that read it."""

from collections.abc import Sequence

import numpy as np

from fleet_sim.codec.camera import FrozenEncoder
from fleet_sim.codec.contract import check_contract, contract, contract_hash, contract_id
from fleet_sim.codec.head import Head, load_head
from fleet_sim.codec.message import decode_batch, encode_batch, escaped, ideal_millibits
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.registry import Bundle


class Version:
    """An encoder, on the processor as on a camera, and its heads on `device`.

    Raises UserError where they are not of one contract, that of `spec` and the encoder's tables.
    """

    def __init__(self, spec: CodecSpec, encoder: Bundle, heads: Sequence[Bundle], device: str):
        self.tables = Tables.from_arrays(encoder.tensors["tables"])
        agreed = contract_hash(contract(spec, self.tables))
        check_contract(f"encoder {encoder.id[:12]}", encoder.manifest, agreed)
        self.contract_id = contract_id(agreed)
        self.encoder = FrozenEncoder(spec, encoder.tensors["weights"], self.tables)
        self._spec, self._device = spec, device
        self.heads: list[Head] = [self._loaded(head) for head in heads]
        self._retrained: dict[int, Head] = {}

    def take_up(self, place: int, head: Bundle) -> None:
        """A head retrained for this encoder, at a place behind those that came with it."""
        self._retrained[place] = self._loaded(head)

    def _loaded(self, head: Bundle) -> Head:
        return load_head(head.manifest, self._spec, head.tensors, self.tables, self._device)

    def code(self, latent_MN: np.ndarray, level: int, sequence_M: np.ndarray) -> list[bytes]:
        """The messages of these ranked latents."""
        return encode_batch(latent_MN, level, self.tables, self.contract_id, sequence_M)

    @property
    def levels(self) -> int:
        """How many the ladder has."""
        return len(self.tables.ladder_L)

    def see(self, images_MHWC: np.ndarray) -> np.ndarray:
        """Ranked latents (M, N) of frames."""
        return self.encoder.latents(images_MHWC)

    def ideal_millibits(self, seen_M: np.ndarray, payload_bytes_LM: np.ndarray) -> np.ndarray:
        """Their probability under the tables, in bits, (L, M)."""
        return ideal_millibits(seen_M, self.tables).T

    def escaped(self, seen_M: np.ndarray) -> np.ndarray:
        """Whether a value is outside the tables' range at each level, (L, M)."""
        return escaped(seen_M, self.tables).T

    def classify(self, read_M: np.ndarray, level: int, head: int) -> np.ndarray:
        """Classes (M,) that a head reads from decoded latents."""
        here = self.heads[head] if head < len(self.heads) else self._retrained[head]
        return here.classify(read_M, level)

    def read(self, messages: Sequence[bytes], level: int) -> np.ndarray:
        """Latents (M, k) decoded from messages of this level."""
        latent_MN, level_M, _, refused = decode_batch(messages, self.tables, self.contract_id)
        if refused:
            raise refused[min(refused)]
        if (level_M != level).any():
            raise RuntimeError(f"messages of levels {set(level_M.tolist())} were delivered as level {level}")
        return latent_MN[:, : self.tables.ladder_L[level]]

    def weigh(self, messages: Sequence[bytes], level: int) -> tuple[np.ndarray, np.ndarray]:
        """(ideal millibits, is a value escaped?) of messages of this level, both (M,)."""
        latent_MN = np.zeros((len(messages), self.tables.neurons), np.int32)
        latent_Mk = self.read(messages, level)
        latent_MN[:, : latent_Mk.shape[1]] = latent_Mk
        return ideal_millibits(latent_MN, self.tables)[:, level], escaped(latent_MN, self.tables)[:, level]
