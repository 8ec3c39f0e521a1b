"""One frame as one message: five bytes of header, then the sealed payload (docs/wire.md).

The symbols of a level are the first of every higher level; the bytes are not, so `cut` decodes and reseals.
Shapes: M frames, N ranked neurons, k of them kept, L levels.
"""

import binascii
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.coder import DecodeError
from fleet_sim.codec.tables import Tables

HEADER_BYTES = 5
SEQUENCES = 1 << 12  # sequence numbers wrap here; the other 4 bits of the two bytes are the level

_CRC_START = 0xFFFF


class MessageError(ValueError):
    """A message that a server must not answer; `reason` is how the frame is counted."""

    def __init__(self, reason: Literal["corrupt", "incompatible"], detail: str):
        super().__init__(f"{reason} message: {detail}")
        self.reason = reason


def encode(latent_N: NDArray[np.int32], level: int, tables: Tables, contract_id: int, sequence: int) -> bytes:
    """The message of one ranked latent (its first k values are enough) at `level` of the ladder.

    `contract_id` is one byte; of `sequence` the low 12 bits travel.
    """
    return encode_batch(latent_N[None], level, tables, contract_id, [sequence])[0]


def encode_batch(
    latent_MN: NDArray[np.int32],
    level: int,
    tables: Tables,
    contract_id: int,
    sequence_M: Sequence[int] | NDArray[np.integer],
) -> list[bytes]:
    """The messages of many ranked latents at one level, as `encode` makes them one by one."""
    kept = _kept(level, tables)
    if latent_MN.shape[1] < kept:
        raise ValueError(f"level {level} keeps {kept} neurons; the latents have {latent_MN.shape[1]}")
    payloads = tables.coder.encode(latent_MN[:, :kept])
    return [
        _frame(contract_id, level, int(sequence), payload)
        for sequence, payload in zip(sequence_M, payloads, strict=True)
    ]


def decode(message: bytes, tables: Tables, contract_id: int) -> tuple[NDArray[np.int32], int, int]:
    """(latent_k, level, sequence): the kept ranked values of a message, its level and its 12-bit sequence.

    Raises MessageError: "corrupt" where the bytes are damaged or cut short, "incompatible" where they are
    whole but belong to another contract. Damage passes the check once in 2^16.
    """
    if len(message) < HEADER_BYTES:
        raise MessageError("corrupt", f"{len(message)} bytes are less than a header")
    fields, check, payload = message[:3], message[3:5], message[5:]
    if _check(fields, payload) != check:
        raise MessageError("corrupt", "the check does not fit the bytes")
    if fields[0] != contract_id:
        raise MessageError("incompatible", f"made under contract {fields[0]}, read under {contract_id}")
    level, sequence = divmod(int.from_bytes(fields[1:], "big"), SEQUENCES)
    if level >= len(tables.ladder_L):
        raise MessageError("corrupt", f"level {level} is not on the ladder")
    try:
        latent_k = tables.coder.decode(payload, _kept(level, tables))
    except DecodeError as error:
        raise MessageError("corrupt", str(error)) from error
    return latent_k, level, sequence


def cut(message: bytes, level: int, tables: Tables) -> bytes:
    """The message that `encode` would have made at a lower (or the same) level; no camera needed.

    Raises MessageError for a damaged message, ValueError for a level above the message's own.
    """
    latent_k, own_level, sequence = decode(message, tables, message[0] if message else 0)
    if level > own_level:
        raise ValueError(f"a message of level {own_level} cannot be raised to level {level}")
    return encode(latent_k, level, tables, message[0], sequence)


def ideal_millibits(latent_MN: NDArray[np.int32], tables: Tables) -> NDArray[np.int64]:
    """-log2 of each ranked latent's probability at each level (M, L), in whole thousandths of a bit.

    An escaped value costs its symbol and 32 bits. Integers, so that sums over frames are exact.
    """
    symbols_MN = tables.coder.symbols(latent_MN)
    cost_MN = np.take_along_axis(tables.millibits_NS, symbols_MN.T, axis=1).T
    return np.cumsum(cost_MN, axis=1)[:, tables.ladder_L - 1]


def _kept(level: int, tables: Tables) -> int:
    if not 0 <= level < len(tables.ladder_L):
        raise ValueError(f"level {level} is not on the ladder of {len(tables.ladder_L)}")
    return int(tables.ladder_L[level])


def _frame(contract_id: int, level: int, sequence: int, payload: bytes) -> bytes:
    packed = level * SEQUENCES + sequence % SEQUENCES
    fields = bytes([contract_id, packed >> 8, packed & 0xFF])
    return fields + _check(fields, payload) + payload


def _check(fields: bytes, payload: bytes) -> bytes:
    return binascii.crc_hqx(payload, binascii.crc_hqx(fields, _CRC_START)).to_bytes(2, "big")
