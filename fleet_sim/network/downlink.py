"""The downlink of a cell as far as it carries encoders: its rate, its blocks, and when it is open."""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import inlined

NEVER_US = 1 << 62


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


@inlined()
def block_bits(downlink, content_bytes, block):
    """Bits of a block, with its header, of a content of so many bytes."""
    content = min(downlink.block_bytes, content_bytes - block * downlink.block_bytes)
    return 8 * (content + downlink.header_bytes)


@inlined()
def open_us(downlink, from_us, takes_us):
    """The first time from `from_us` on at which something that takes so long fits before the link closes.

    NEVER_US if it is longer than every window.
    """
    if downlink.every_us > 0 and takes_us > downlink.open_us:
        return NEVER_US
    found = False
    while not found:
        found = True
        if downlink.every_us > 0:
            into_us = (from_us - downlink.first_us) % downlink.every_us
            if into_us + takes_us > downlink.open_us:
                from_us += downlink.every_us - into_us
        for o in range(downlink.outage_from_us_O.shape[0]):
            if (
                from_us < downlink.outage_to_us_O[o]
                and from_us + max(takes_us, 1) > downlink.outage_from_us_O[o]
            ):
                from_us = downlink.outage_to_us_O[o]
                found = False
    return from_us
