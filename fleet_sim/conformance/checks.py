"""All checks, in the order of the table."""

from collections.abc import Iterator

from fleet_sim.conformance import accounts, capacity, channel, queueing, serving, sharing
from fleet_sim.conformance.check import Check


def all_checks(seed: int = 1) -> Iterator[Check]:
    """Each check as it is done; the same seed gives the same figures."""
    for room in (queueing, capacity, channel, sharing, accounts, serving):
        yield from room.checks(seed)
