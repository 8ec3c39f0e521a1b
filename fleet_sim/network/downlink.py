"""The downlink of a cell as far as it carries encoders, as constants."""

from typing import NamedTuple

import numpy as np


class Downlink(NamedTuple):
    """What a cell's downlink leaves for encoders. A rate of 0: none travel."""

    bps: int
    block_bytes: int  # of content, in one packet
    header_bytes: int
    lost: int  # a draw of 32 bits below this is a lost block
    # Maintenance windows: open from first_us + n every_us for open_us; every_us = 0: always.
    every_us: int
    first_us: int
    open_us: int
    outage_from_us_O: np.ndarray
    outage_to_us_O: np.ndarray


CLOSED = Downlink(0, 0, 0, 0, 0, 0, 0, np.zeros(0, np.int64), np.zeros(0, np.int64))
