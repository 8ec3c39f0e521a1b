r"""Ranked latents to the shortest byte string and back, by constriction's range coder.

A range coder ends with an interval [lower, lower + range): any number inside it decodes to the symbols.
constriction closes it with whole 32-bit words (about 17 bits too many). `seal` instead takes the number
inside with the fewest bytes, a decoder reading zeros past the end: the multiple of 2^(64 - 8t) for the
smallest t that has one in the interval. From 2^64 on, that number carries into the words before it.

Shapes: N neurons in ranked order, k of them kept, S symbols of which the last is the escape.
"""

from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

PRECISION_BITS = 12
TOTAL = 1 << PRECISION_BITS
ESCAPE_BITS = 32

_RangeEncoder = constriction.stream.queue.RangeEncoder
_RangeDecoder = constriction.stream.queue.RangeDecoder
_TABLE = constriction.stream.model.Categorical(perfect=False)
_HALF_WORD = constriction.stream.model.Uniform(1 << 16)


class DecodeError(ValueError):
    """These bytes are no payload of these tables."""


def seal(encoder: Any) -> bytes:
    """The shortest byte string that decodes to what `encoder` (a RangeEncoder) was given."""
    words, (lower, width) = encoder.pos()
    closed: bytes = encoder.get_compressed().astype(">u4").tobytes()
    head = int.from_bytes(closed[: 4 * words], "big")
    tail = int.from_bytes(closed[4 * words :].ljust(8, b"\0"), "big")
    if tail < lower:  # constriction's own closing number lay past 2^64: take its carry back out of the words
        head -= 1
    for step_bits in range(64, -1, -8):
        number = -(-lower >> step_bits) << step_bits
        if number < lower + width:
            break
    shortest: bytes = ((head << 64) + number).to_bytes(4 * words + 8, "big").rstrip(b"\0")
    return shortest


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

    def encode(self, latent_Mk: NDArray[np.int32]) -> list[bytes]:
        """One sealed payload a row: k symbols, then each escaped value as two 16-bit halves, high first."""
        symbols_Mk = self.symbols(latent_Mk).astype(np.int32)
        escaped_Mk = symbols_Mk == self._escape
        escaped_M = escaped_Mk.any(axis=1)
        probabilities_kS = self._probabilities_NS[: latent_Mk.shape[1]]
        payloads = []
        for row, symbols_k in enumerate(symbols_Mk):
            encoder = _RangeEncoder()
            encoder.encode(symbols_k, _TABLE, probabilities_kS)
            if escaped_M[row]:
                values_e = latent_Mk[row, escaped_Mk[row]].astype(np.int32)
                halves_2e = np.ascontiguousarray(values_e, dtype=">i4").view(">u2").astype(np.int32)
                encoder.encode(halves_2e, _HALF_WORD)
            payloads.append(seal(encoder))
        return payloads

    def decode(self, payload: bytes, kept: int) -> NDArray[np.int32]:
        """The first `kept` ranked values (int32) of a payload made at that level.

        Raises DecodeError for bytes that no encoder makes: a last byte of zero, a text longer than any
        latent needs, or a stream that the tables cannot have made.
        """
        longest_bytes = (kept * (PRECISION_BITS + ESCAPE_BITS) + 7) // 8 + 8
        if payload.endswith(b"\0") or len(payload) > longest_bytes:
            raise DecodeError("not the shortest form of any message")
        padded = payload.ljust(-(-len(payload) // 4) * 4, b"\0")
        decoder = _RangeDecoder(np.frombuffer(padded, dtype=">u4").astype(np.uint32))
        try:
            symbols_k = decoder.decode(_TABLE, self._probabilities_NS[:kept])
            escaped_k = symbols_k == self._escape
            values_k: NDArray[np.int64] = symbols_k + self._offset_N[:kept]
            if escaped_k.any():
                halves_2e = decoder.decode(_HALF_WORD, 2 * int(escaped_k.sum()))
                values_k[escaped_k] = halves_2e.astype(">u2").view(">i4")
        except AssertionError as error:  # how constriction reports a stream that its model cannot have made
            raise DecodeError(f"the range coder refuses the bytes: {error}") from error
        return values_k.astype(np.int32)
