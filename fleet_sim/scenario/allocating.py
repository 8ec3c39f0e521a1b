"""What it takes base stations to tell cameras what they may plan with."""

from fractions import Fraction

from fleet_sim.basics.errors import UserError
from fleet_sim.network.build import WHOLE, downlink_bps
from fleet_sim.network.link import Link
from fleet_sim.scenario.scenario import Scenario

TOLD_BYTES = 8  # two numbers of millibits for each group of cameras, and for each encoder that they may have


def told_bits(scenario: Scenario) -> int:
    """Bits of the one message to all cameras of a cell, its packet's headers included."""
    versions = 1 + len(scenario.train.updates) if scenario.air else 1
    kinds = versions * max(1, len(scenario.fleet.groups))
    return 8 * (scenario.link.packet_header_bytes + TOLD_BYTES * kinds)


def told_after_us(scenario: Scenario, link: Link) -> int:
    """From a period boundary until cameras heed what was allocated there.

    The last that is heard before the boundary takes `propagation_us` to come, and so does the message, once
    it is out. Raises UserError where cameras would heed it no sooner than after the next boundary.
    """
    share = 1 - Fraction(str(scenario.air.share)) if scenario.air else WHOLE
    bps = downlink_bps(scenario.link, link.budget_bps, share)
    sent_us = -(-told_bits(scenario) * 1_000_000 // bps)
    after_us = 2 * link.propagation_us + sent_us
    if scenario.control.allocation != "equal" and after_us > scenario.control.period_us:
        raise UserError(
            f"cameras know what is allocated only {after_us} us later, at {bps} bit/s; "
            "control.period_us must be no shorter, or the downlink faster"
        )
    return after_us
