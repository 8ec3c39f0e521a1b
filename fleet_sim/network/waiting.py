"""Cameras that wait for a time: the end of a rest, of a retry's delay, or of filling a packet."""

from fleet_sim.basics.compiled import inlined
from fleet_sim.network import heap
from fleet_sim.network.uplink import NEVER, WAKE


@inlined()
def set_wake(u, cell, row, time_us):
    """Let a camera wait until `time_us`, or until then at the latest if it waits already."""
    camera, waiting = u.cameras[row], u.waiting[row]
    if camera.flags & WAKE:
        if time_us < waiting.wake_us:
            waiting.wake_us = time_us
            heap.sooner(u.waiting["wake"], cell.first_row, cell.wakes, row, u.waiting["wake_us"])
        return
    camera.flags |= WAKE
    waiting.wake_us = time_us
    heap.push(u.waiting["wake"], cell.first_row, cell.wakes, row, u.waiting["wake_us"])
    cell.wakes += 1


@inlined()
def take_wake(u, cell):
    """The camera of a cell whose time has come waits no longer."""
    u.cameras[u.waiting[cell.first_row].wake].flags &= ~WAKE
    heap.drop_top(u.waiting["wake"], cell.first_row, cell.wakes, u.waiting["wake_us"])
    cell.wakes -= 1


@inlined()
def cancel_wake(u, cell, row):
    """Let a camera wait for no time."""
    if u.cameras[row].flags & WAKE:
        set_wake(u, cell, row, -1)
        take_wake(u, cell)


@inlined()
def must_wait_until(u, pool, link, encode_us, row):
    """The time before which a camera with messages may not send."""
    camera, time_us = u.cameras[row], u.waiting[row].not_before_us
    if camera.length < link.aggregate:
        oldest_us = pool.messages[camera.first].capture_us + encode_us
        time_us = max(time_us, oldest_us + link.aggregate_wait_us)
    return time_us


@inlined()
def outage_after(link, time_us):
    """(begin, end) of the first outage that ends after `time_us`; (NEVER, NEVER) if there is none."""
    for place in range(link.outage_to_us_O.shape[0]):
        if link.outage_to_us_O[place] > time_us:
            return link.outage_from_us_O[place], link.outage_to_us_O[place]
    return NEVER, NEVER
