"""Seeded permutations, one a purpose, so that no two choices share their draws."""

import zlib

import numpy as np
import numpy.typing as npt


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on `seed` and `purpose` alone."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def permutation(count: int, seed: int, purpose: str) -> npt.NDArray[np.int64]:
    """The numbers below `count` in an order that depends on `seed` and `purpose` alone."""
    return generator(seed, purpose).permutation(count)
