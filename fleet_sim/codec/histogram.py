"""Integer frequency tables from the rounded latents of a training set.

Shapes: M samples, N neurons, V values about a neuron's median, W values that get a symbol, S = W + 1.
"""

import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.coder import ESCAPE_BITS, TOTAL

REACH = 512  # values further from a neuron's median than this are always escaped
MAX_SYMBOLS = 256


def fit_frequencies(latent_MN: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(frequencies_NS, offset_N) that code `latent_MN` in the fewest ideal bits.

    All neurons share one width W of support (the coder wants one array); each places it where it covers most
    samples and, of such places, with its middle nearest its median. W is the one of 1..255 with the fewest
    bits in all, the smaller on a tie: every symbol costs at least 1/4096 of its neuron's probability, every
    value outside costs the escape and 32 bits.
    """
    samples, neurons = latent_MN.shape
    median_N = np.sort(latent_MN, axis=0)[samples // 2].astype(np.int64)
    shifted_MN = latent_MN.astype(np.int64) - median_N + REACH
    near_MN = (shifted_MN >= 0) & (shifted_MN <= 2 * REACH)
    cell_MN = shifted_MN + np.arange(neurons) * (2 * REACH + 1)
    counts_NV = np.bincount(cell_MN[near_MN], minlength=neurons * (2 * REACH + 1)).reshape(neurons, -1)
    running_NV = np.pad(np.cumsum(counts_NV, axis=1), ((0, 0), (1, 0)))

    best_bits = np.inf
    for width in range(1, MAX_SYMBOLS):
        covered_NV = running_NV[:, width:] - running_NV[:, :-width]
        off_centre_V = np.abs(np.arange(covered_NV.shape[1]) + width // 2 - REACH)
        best_NV = covered_NV == covered_NV.max(axis=1, keepdims=True)
        start_N = np.argmin(np.where(best_NV, off_centre_V, 2 * REACH), axis=1)
        inside_NW = np.take_along_axis(counts_NV, start_N[:, None] + np.arange(width), axis=1)
        outside_N = samples - inside_NW.sum(axis=1)
        counts_NS = np.concatenate([inside_NW, outside_N[:, None]], axis=1)
        frequencies_NS = apportion(counts_NS)
        bits = -(counts_NS * np.log2(frequencies_NS / TOTAL)).sum() + ESCAPE_BITS * outside_N.sum()
        if bits < best_bits:
            best_bits, best = bits, (frequencies_NS, start_N + median_N - REACH)
        if not outside_N.any():
            break  # a wider support could only cost more
    return best


def apportion(counts_NS: NDArray[np.integer]) -> NDArray[np.int64]:
    """Frequencies in proportion to `counts_NS` by largest remainders: each at least 1, a row 4096 in all."""
    counts_NS = counts_NS.astype(np.int64)
    free = TOTAL - counts_NS.shape[1]
    total_N1 = counts_NS.sum(axis=1, keepdims=True)
    share_NS, remainder_NS = np.divmod(counts_NS * free, total_N1)
    left_N1 = free - share_NS.sum(axis=1, keepdims=True)
    place_NS = np.argsort(np.argsort(-remainder_NS, axis=1, kind="stable"), axis=1, kind="stable")
    frequencies_NS: NDArray[np.int64] = 1 + share_NS + (place_NS < left_N1)
    return frequencies_NS
