r"""Payloads and the words of a range coder, many at once.

A range coder ends with an interval [lower, lower + width): any number inside it decodes to the symbols.
constriction closes it with whole 32-bit words (about 17 bits too many). `seal` instead takes the number
inside with the fewest bytes, a decoder reading zeros past the end: the multiple of 2^(64 - 8t) for the
smallest t that has one in the interval. From 2^64 on, that number carries into the words before it.

Shapes: M payloads, W words of 32 bits in all, B bytes in all.
"""

import numpy as np

from fleet_sim.basics.compiled import compiled

_ZERO = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled()
def seal(words_W, word_M, bulk_M, lower_M, width_M):
    """The shortest byte string of each encoder: (bytes_B, start_M) of a `Ragged`.

    Encoder m was closed by constriction as `words_W[word_M[m] : word_M[m + 1]]` (uint32); before that it had
    put out `bulk_M[m]` words and was in state `lower_M[m]`, `width_M[m]` (uint64).
    """
    payloads = len(bulk_M)
    bytes_B = np.empty(4 * np.sum(bulk_M) + 8 * payloads, np.uint8)
    start_M = np.zeros(payloads + 1, np.int64)
    end = 0
    for m in range(payloads):
        begin = end
        for word in words_W[word_M[m] : word_M[m] + bulk_M[m]]:
            for shift in (24, 16, 8, 0):
                bytes_B[end] = (word >> np.uint32(shift)) & np.uint32(0xFF)
                end += 1
        closing_w = words_W[word_M[m] + bulk_M[m] : word_M[m + 1]]
        tail = _ZERO
        for place in range(2):
            tail = tail << np.uint64(32)
            if place < len(closing_w):
                tail |= np.uint64(closing_w[place])
        rise = _shortest_rise(lower_M[m], width_M[m])
        number = lower_M[m] + rise
        # Past 2^64 a number wraps round: ours carries one into the words, constriction's is taken back out.
        carry = np.int64(number < lower_M[m]) - np.int64(tail < lower_M[m])
        at = end
        while carry != 0:
            at -= 1
            carried = np.int64(bytes_B[at]) + carry
            bytes_B[at] = carried & 0xFF
            carry = carried >> 8
        for shift in range(56, -1, -8):
            bytes_B[end] = (number >> np.uint64(shift)) & np.uint64(0xFF)
            end += 1
        while end > begin and bytes_B[end - 1] == 0:
            end -= 1
        start_M[m + 1] = end
    return bytes_B[:end], start_M


@compiled()
def _shortest_rise(lower, width):
    """How far above `lower`, within `width`, the number with the fewest bytes lies."""
    for kept_bits in range(0, 64, 8):
        rise = (_ZERO - lower) & (_ALL >> np.uint64(kept_bits))
        if rise < width:
            return rise
    return _ZERO


@compiled()
def unseal(bytes_B, start_M):
    """The words that a range decoder reads of each payload: (words_W, word_M), zeros past its end."""
    payloads = len(start_M) - 1
    word_M = np.zeros(payloads + 1, np.int64)
    for m in range(payloads):
        word_M[m + 1] = word_M[m] + (start_M[m + 1] - start_M[m] + 3) // 4
    words_W = np.zeros(word_M[-1], np.uint32)
    for m in range(payloads):
        for place in range(start_M[m + 1] - start_M[m]):
            byte = np.uint32(bytes_B[start_M[m] + place])
            words_W[word_M[m] + place // 4] |= byte << np.uint32(24 - 8 * (place % 4))
    return words_W, word_M
