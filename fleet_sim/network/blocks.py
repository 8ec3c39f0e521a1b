"""Blocks of encoders on a cell's downlink: how large they are, and when one may be sent."""

from fleet_sim.basics.compiled import inlined

NEVER_US = 1 << 62


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
