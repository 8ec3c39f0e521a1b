"""Byte strings of many lengths as two arrays, so that compiled code can go through them at once.

Shapes: M strings, B bytes in all.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Ragged(NamedTuple):
    """M strings end to end; string m is `bytes_B[start_M[m] : start_M[m + 1]]`."""

    bytes_B: NDArray[np.uint8]
    start_M: NDArray[np.int64]
    """Has one more entry than there are strings: the end of the last."""


def join(strings: Sequence[bytes]) -> Ragged:
    """These strings end to end."""
    start_M = np.zeros(len(strings) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, strings), np.int64, len(strings)), out=start_M[1:])
    return Ragged(np.frombuffer(b"".join(strings), np.uint8), start_M)


def split(ragged: Ragged) -> list[bytes]:
    """The strings one by one."""
    whole = ragged.bytes_B.tobytes()
    return [whole[first:last] for first, last in pairwise(ragged.start_M.tolist())]
