"""Messages on their way from cameras to servers, as columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Sent(NamedTuple):
    """M messages that reached the server side, in any order; sorting is fastest where cells rise."""

    arrive_us: np.ndarray  # int64
    capture_us: np.ndarray  # int64
    camera: np.ndarray  # int32
    frame: np.ndarray  # int32
    level: np.ndarray  # int8
    version: np.ndarray  # int8


TYPES = Sent(np.int64, np.int64, np.int32, np.int32, np.int8, np.int8)  # type: ignore[arg-type]


def room_for(messages: int) -> Sent:
    """Columns for so many messages, their values still to be written."""
    return Sent(*(np.empty(messages, column) for column in TYPES))


def take(sent: Sent, index: np.ndarray | slice) -> Sent:
    """The messages at `index`."""
    return Sent(*(column[index] for column in sent))


def together(parts: Sequence[Sent]) -> Sent:
    """All messages, part after part."""
    if len(parts) == 1:
        return parts[0]
    return Sent(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
