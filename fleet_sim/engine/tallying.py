"""How a step counts what happens to frames and packets."""

from fleet_sim.basics.compiled import at, inlined
from fleet_sim.engine import counts as c
from fleet_sim.engine.groups import group_of


@inlined()
def count(tallies, named, group, version, second, column, amount):
    """Add to a column; `named` and `group` are rows of named cells and of groups, -1 where there is none."""
    tallies.by_second_VSC[at(version), at(second), column] += amount
    if named >= 0:
        tallies.cells_KSC[named, second, column] += amount
    if group >= 0:
        tallies.groups_GSC[group, second, column] += amount


@inlined()
def counted_group(tallies, fleet, camera):
    """The group whose row this camera counts in; -1 where groups are not counted."""
    return group_of(fleet, camera) if tallies.groups_GSC.shape[0] > 0 else -1


@inlined()
def add_sent(count_C, level, payload_bits, millibits):
    """A message got through."""
    count_C[c.SENT] += 1
    count_C[c.LEVEL_SUM] += level
    count_C[c.PAYLOAD_BITS] += payload_bits
    count_C[c.IDEAL_MILLIBITS] += millibits


@inlined()
def add_packet(count_C, bits, lost):
    """A packet is off the air."""
    count_C[c.PACKETS] += 1
    count_C[c.WIRE_BITS] += bits
    count_C[c.PACKETS_LOST] += lost
