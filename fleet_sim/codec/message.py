"""One frame as one message: five bytes of header, then the sealed payload (docs/wire.md).

The symbols of a level are the first of every higher level; the bytes are not, so `cut` decodes and reseals.
Shapes: M frames, N ranked neurons, k of them kept, L levels.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.envelope import CONTRACT_BITS, FOREIGN, SHORT, WHOLE, inspect, wrap
from fleet_sim.codec.envelope import HEADER_BYTES as HEADER_BYTES
from fleet_sim.codec.ragged import Ragged, join, split
from fleet_sim.codec.tables import Tables


class MessageError(ValueError):
    """A message that a server must not answer; `reason` is how the frame is counted."""

    def __init__(self, reason: Literal["corrupt", "incompatible"], detail: str):
        super().__init__(f"{reason} message: {detail}")
        self.reason = reason


class Decoded(NamedTuple):
    """What M messages say. A refused message's row of latents is all zeros."""

    latent_MN: NDArray[np.int32]
    """The kept ranked values, zeros behind them."""
    level_M: NDArray[np.int64]
    sequence_M: NDArray[np.int64]
    """Modulo 4096."""
    refused: Mapping[int, MessageError]
    """Why a message is not to be answered, by its row."""


def encode(latent_N: NDArray[np.int32], level: int, tables: Tables, contract_id: int, sequence: int) -> bytes:
    """The message of one ranked latent (its first k values are enough) at `level` of the ladder."""
    return encode_batch(latent_N[None], level, tables, contract_id, [sequence])[0]


def encode_batch(
    latent_MN: NDArray[np.int32],
    level: int,
    tables: Tables,
    contract_id: int,
    sequence_M: Sequence[int] | NDArray[np.integer],
) -> list[bytes]:
    """The messages of many ranked latents at one level, as `encode` makes them one by one.

    `contract_id` has 24 bits; of a sequence number the low 12 bits travel. Raises ValueError for a level that
    is not on the ladder and for latents with fewer values than it keeps.
    """
    if not 0 <= level < len(tables.ladder_L):
        raise ValueError(f"level {level} is not on the ladder of {len(tables.ladder_L)}")
    kept = int(tables.ladder_L[level])
    if latent_MN.shape[1] < kept:
        raise ValueError(f"level {level} keeps {kept} neurons; the latents have {latent_MN.shape[1]}")
    if len(sequence_M) != len(latent_MN):
        raise ValueError(f"{len(latent_MN)} latents need as many sequence numbers, not {len(sequence_M)}")
    payloads = tables.coder.encode(latent_MN[:, :kept])
    messages = wrap(*payloads, _checked(contract_id), level, np.asarray(sequence_M, np.int64))
    return split(Ragged(*messages))


def decode(message: bytes, tables: Tables, contract_id: int) -> tuple[NDArray[np.int32], int, int]:
    """(latent_k, level, sequence): the kept ranked values of a message, its level and its 12-bit sequence.

    Raises MessageError as `decode_batch` gives it.
    """
    latent_MN, level_M, sequence_M, refused = decode_batch([message], tables, contract_id)
    if refused:
        raise refused[0]
    return latent_MN[0, : tables.ladder_L[level_M[0]]], int(level_M[0]), int(sequence_M[0])


def decode_batch(messages: Sequence[bytes], tables: Tables, contract_id: int) -> Decoded:
    """What many messages say, each of any level.

    Refused as "corrupt" is what is cut short, does not fit its check, or is no message of these tables; as
    "incompatible" what begins like a message of another contract. Damage passes the check once in 2^16.
    """
    level_M, sequence_M, verdict_M = inspect(*join(messages), _checked(contract_id))
    on_ladder_M = level_M < len(tables.ladder_L)
    refused = {
        row: _refusal(int(verdict_M[row]), messages[row], contract_id)
        for row in np.flatnonzero(verdict_M != WHOLE).tolist()
    }
    for row in np.flatnonzero((verdict_M == WHOLE) & ~on_ladder_M).tolist():
        refused[row] = MessageError("corrupt", f"level {level_M[row]} is not on the ladder")
    sound_m = np.flatnonzero((verdict_M == WHOLE) & on_ladder_M)
    payloads = join([messages[row][HEADER_BYTES:] for row in sound_m.tolist()])
    latent_mN, unfit = tables.coder.decode(payloads, tables.ladder_L[level_M[sound_m]])
    refused |= {int(sound_m[place]): MessageError("corrupt", detail) for place, detail in unfit.items()}
    latent_MN = np.zeros((len(messages), latent_mN.shape[1]), np.int32)
    latent_MN[sound_m] = latent_mN
    return Decoded(latent_MN, level_M, sequence_M, refused)


def cut(message: bytes, level: int, tables: Tables, contract_id: int) -> bytes:
    """The message that `encode` would have made at a lower (or the same) level; no camera needed.

    Raises MessageError for a message that `decode` refuses, ValueError for a level above the message's own.
    """
    latent_k, own_level, sequence = decode(message, tables, contract_id)
    if level > own_level:
        raise ValueError(f"a message of level {own_level} cannot be raised to level {level}")
    return encode(latent_k, level, tables, contract_id, sequence)


def ideal_millibits(latent_MN: NDArray[np.int32], tables: Tables) -> NDArray[np.int64]:
    """-log2 of each ranked latent's probability at each level (M, L), in whole thousandths of a bit.

    An escaped value costs its symbol and 32 bits. Integers, so that sums over frames are exact.
    """
    symbols_MN = tables.coder.symbols(latent_MN)
    cost_MN = np.take_along_axis(tables.millibits_NS, symbols_MN.T, axis=1).T
    return np.cumsum(cost_MN, axis=1)[:, tables.ladder_L - 1]


def escaped(latent_MN: NDArray[np.int32], tables: Tables) -> NDArray[np.bool_]:
    """Does the message of each ranked latent at each level hold a value outside the tables' range? (M, L)."""
    outside_MN = tables.coder.symbols(latent_MN) == tables.frequencies_NS.shape[1] - 1
    found_ML: NDArray[np.bool_] = np.cumsum(outside_MN, axis=1)[:, tables.ladder_L - 1] > 0
    return found_ML


def _checked(contract_id: int) -> int:
    if not 0 <= contract_id < 1 << CONTRACT_BITS:
        raise ValueError(f"a contract id has {CONTRACT_BITS} bits; {contract_id} is none")
    return contract_id


def _refusal(verdict: int, message: bytes, contract_id: int) -> MessageError:
    if verdict == SHORT:
        return MessageError("corrupt", f"{len(message)} bytes are less than a header")
    if verdict == FOREIGN:
        theirs, ours = message[0], contract_id >> 16
        return MessageError(
            "incompatible", f"it begins as under contract {theirs:02x}.., ours is {ours:02x}.."
        )
    return MessageError("corrupt", f"the check does not fit the bytes under contract {contract_id:06x}")
