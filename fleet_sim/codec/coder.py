"""Ranked latents to the shortest byte strings and back, by constriction's range coder.

Shapes: M frames, N neurons in ranked order, k of them kept, S symbols of which the last is the escape,
W words of 32 bits in all.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import constriction
import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.ragged import Ragged
from fleet_sim.codec.sealing import seal, unseal

PRECISION_BITS = 12
TOTAL = 1 << PRECISION_BITS
ESCAPE_BITS = 32

_RangeEncoder = constriction.stream.queue.RangeEncoder
_RangeDecoder = constriction.stream.queue.RangeDecoder
_TABLE = constriction.stream.model.Categorical(perfect=False)
_HALF_WORD = constriction.stream.model.Uniform(1 << 16)


class Latents(NamedTuple):
    """What payloads decode to."""

    latent_MN: NDArray[np.int32]
    """The kept values, zeros behind them; a refused payload's row is all zeros."""
    refused: Mapping[int, str]
    """Why a payload is none of these tables, by its row."""


class Coder:
    """The entropy coder of one version; constriction wants its integer frequencies as (exact) float32."""

    def __init__(self, frequencies_NS: NDArray[np.int64], offset_N: NDArray[np.int64]):
        self._probabilities_NS = np.ascontiguousarray(frequencies_NS / TOTAL, dtype=np.float32)
        self._offset_N = offset_N
        self._escape = frequencies_NS.shape[1] - 1

    def symbols(self, latent_Mk: NDArray[np.integer]) -> NDArray[np.int64]:
        """The symbol of each value (M, k); the escape where a value has none."""
        symbols_Mk = latent_Mk.astype(np.int64) - self._offset_N[: latent_Mk.shape[1]]
        return np.where((symbols_Mk < 0) | (symbols_Mk >= self._escape), self._escape, symbols_Mk)

    def encode(self, latent_Mk: NDArray[np.int32]) -> Ragged:
        """One payload a row: k symbols, then each escaped value as two 16-bit halves, high first."""
        symbols_Mk = self.symbols(latent_Mk).astype(np.int32)
        escaped_Mk = symbols_Mk == self._escape
        escapes = escaped_Mk.any(axis=1).tolist()
        probabilities_kS = self._probabilities_NS[: latent_Mk.shape[1]]
        positions, closed = [], [np.zeros(0, np.uint32)]
        for row, symbols_k in enumerate(symbols_Mk):
            encoder = _RangeEncoder()  # clear() would keep the last one's pending carry
            encoder.encode(symbols_k, _TABLE, probabilities_kS)
            if escapes[row]:
                encoder.encode(_halves(latent_Mk[row, escaped_Mk[row]]), _HALF_WORD)
            positions.append(encoder.pos())
            closed.append(encoder.get_compressed())
        rows = len(positions)
        return Ragged(
            *seal(
                np.concatenate(closed),
                np.cumsum(np.fromiter(map(len, closed), np.int64, rows + 1)),
                np.fromiter((bulk for bulk, _ in positions), np.int64, rows),
                np.fromiter((lower for _, (lower, _) in positions), np.uint64, rows),
                np.fromiter((width for _, (_, width) in positions), np.uint64, rows),
            )
        )

    def decode(self, payloads: Ragged, kept_M: NDArray[np.int64]) -> Latents:
        """The first `kept_M` ranked values of each payload.

        Refused are bytes that no encoder makes: a last byte of zero, a text longer than any latent needs, a
        stream that the tables cannot have made.
        """
        kept = kept_M.tolist()
        refused = dict.fromkeys(_unfit_rows(payloads, kept_M), "not the shortest form of any message")
        words_W, word_M = unseal(*payloads)
        decoders = [_RangeDecoder(words_W[first:last]) for first, last in pairwise(word_M.tolist())]

        def read(row: int, count: int, *model: Any) -> NDArray[np.int32]:
            try:
                read_c: NDArray[np.int32] = decoders[row].decode(*model)
            except AssertionError as error:  # how constriction reports what its model cannot have made
                refused[row] = f"the range coder refuses the bytes: {error}"
                return np.zeros(count, np.int32)
            return read_c

        models = {k: self._probabilities_NS[:k] for k in set(kept)}
        symbols = [read(row, k, _TABLE, models[k]) for row, k in enumerate(kept)]
        kept_MN = np.arange(len(self._offset_N)) < kept_M[:, None]
        symbols_MN = np.full(kept_MN.shape, -1, np.int64)
        symbols_MN[kept_MN] = np.concatenate([np.zeros(0, np.int32), *symbols])
        latent_MN = np.where(kept_MN, symbols_MN + self._offset_N, 0)
        escaped_MN = symbols_MN == self._escape
        for row in np.flatnonzero(escaped_MN.any(axis=1)).tolist():
            count = 2 * int(escaped_MN[row].sum())
            latent_MN[row, escaped_MN[row]] = _values(read(row, count, _HALF_WORD, count))
        latent_MN[list(refused)] = 0
        return Latents(latent_MN.astype(np.int32), refused)


def _unfit_rows(payloads: Ragged, kept_M: NDArray[np.int64]) -> list[int]:
    """Payloads that end in a zero byte or are longer than any latent needs."""
    end_M, length_M = payloads.start_M[1:], np.diff(payloads.start_M)
    longest_M = (kept_M * (PRECISION_BITS + ESCAPE_BITS) + 7) // 8 + 8
    unfit_M = length_M > longest_M
    filled_m = np.flatnonzero(length_M)
    unfit_M[filled_m] |= payloads.bytes_B[end_M[filled_m] - 1] == 0
    return np.flatnonzero(unfit_M).tolist()


def _halves(values_e: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.ascontiguousarray(values_e, dtype=">i4").view(">u2").astype(np.int32)


def _values(halves_2e: NDArray[np.int32]) -> NDArray[np.int32]:
    return halves_2e.astype(">u2").view(">i4").astype(np.int32)
