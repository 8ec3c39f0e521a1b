"""The one order of a server's arrivals: by time, then cell, camera and frame, whoever delivered them."""

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.errors import RunError

DIGIT_BITS = 11  # the counters of one digit stay in the first-level cache
DIGITS = 1 << DIGIT_BITS


def in_order(
    arrive_us_M: np.ndarray, camera_M: np.ndarray, frame_M: np.ndarray, cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """(arrival times rising, place of each in the input), both (M,) int64: messages in their total order.

    arrive_us_M int64; camera_M and frame_M whole numbers; a camera's cell is camera modulo `cells`.
    Raises RunError when a time and a place together take more than the 64 bits of a sorted word.
    """
    if not len(arrive_us_M):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first_us = int(arrive_us_M.min())
    span_bits = (int(arrive_us_M.max()) - first_us).bit_length()
    place_bits = len(arrive_us_M).bit_length()
    if span_bits + place_bits > 64:
        raise RunError(
            f"{len(arrive_us_M)} frames over {2**span_bits / 3.6e9:.0f} hours are too many for a server at "
            "once: lower cluster.epoch_us"
        )
    word_M = _sorted_words(arrive_us_M, first_us, span_bits, place_bits)
    time_us_M, place_M = _untied(word_M, first_us, place_bits, camera_M, frame_M, cells)
    return time_us_M, place_M


@compiled()
def _sorted_words(arrive_us_M, first_us, span_bits, place_bits):
    """Time since the first arrival above the place in the input, a word a message, rising.

    A radix sort from the lowest digit of the time (Knuth, The Art of Computer Programming 3, 5.2.5,
    algorithm R); places rise within one microsecond, as they do in the input.
    """
    messages = arrive_us_M.shape[0]
    digits = (span_bits + DIGIT_BITS - 1) // DIGIT_BITS
    mask, place_shift = np.uint64(DIGITS - 1), np.uint64(place_bits)
    word_M, sorted_M = np.empty(messages, np.uint64), np.empty(messages, np.uint64)
    start_PD = np.zeros((digits, DIGITS), np.uint32)
    for m in range(messages):
        time_us = np.uint64(arrive_us_M[m] - first_us)
        word_M[m] = (time_us << place_shift) | np.uint64(m)
        for digit in range(digits):
            start_PD[digit, time_us & mask] += np.uint32(1)
            time_us >>= np.uint64(DIGIT_BITS)
    for digit in range(digits):
        shift = place_shift + np.uint64(digit * DIGIT_BITS)
        begin = np.uint32(0)
        for value in range(DIGITS):
            count = start_PD[digit, value]
            start_PD[digit, value] = begin
            begin += count
        for m in range(messages):
            value = (word_M[m] >> shift) & mask
            sorted_M[start_PD[digit, value]] = word_M[m]
            start_PD[digit, value] += np.uint32(1)
        word_M, sorted_M = sorted_M, word_M
    return word_M


@compiled()
def _untied(word_M, first_us, place_bits, camera_M, frame_M, cells):
    """Times and places, those of one microsecond put in order by insertion: few are not, as cells rise."""
    shift = np.uint64(place_bits)
    mask = (np.uint64(1) << shift) - np.uint64(1)
    time_us_M, place_M = np.empty(word_M.shape[0], np.int64), np.empty(word_M.shape[0], np.int64)
    for m in range(word_M.shape[0]):
        time_us, place, at = first_us + np.int64(word_M[m] >> shift), np.int64(word_M[m] & mask), m
        time_us_M[m] = time_us
        while (
            at > 0
            and time_us_M[at - 1] == time_us
            and _before(place, place_M[at - 1], camera_M, frame_M, cells)
        ):
            place_M[at] = place_M[at - 1]
            at -= 1
        place_M[at] = place
    return time_us_M, place_M


@compiled(inline="always")
def _before(a, b, camera_M, frame_M, cells):
    cell_a, cell_b = np.uint32(camera_M[a]) % np.uint32(cells), np.uint32(camera_M[b]) % np.uint32(cells)
    if cell_a != cell_b:
        return cell_a < cell_b
    if camera_M[a] != camera_M[b]:
        return camera_M[a] < camera_M[b]
    return frame_M[a] < frame_M[b]
