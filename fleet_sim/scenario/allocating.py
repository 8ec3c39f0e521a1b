"""What it takes base stations to tell cameras what they may plan with."""

from fleet_sim.basics.errors import UserError
from fleet_sim.network.build import downlink_bps
from fleet_sim.network.link import Link
from fleet_sim.scenario.scenario import Scenario

TOLD_BYTES = 4  # a number of bits for each group of cameras


def told_bits(scenario: Scenario) -> int:
    """Bits of the one message to all cameras of a cell, its packet's headers included."""
    return 8 * (scenario.link.packet_header_bytes + TOLD_BYTES * max(1, len(scenario.fleet.groups)))


def told_after_us(scenario: Scenario, link: Link) -> int:
    """From a period boundary until cameras heed what was allocated there.

    The last that is heard before the boundary takes `propagation_us` to come, and so does the message, once
    it is out. Raises UserError where cameras would heed it no sooner than after the next boundary.
    """
    bps = downlink_bps(scenario.link, link.budget_bps)
    sent_us = -(-told_bits(scenario) * 1_000_000 // bps)
    after_us = 2 * link.propagation_us + sent_us
    if scenario.control.allocation != "equal" and after_us > scenario.control.period_us:
        raise UserError(
            f"cameras know what is allocated only {after_us} us later, at {bps} bit/s; "
            "control.period_us must be no shorter, or the downlink faster"
        )
    return after_us
