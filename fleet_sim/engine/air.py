"""Encoders over the air: each cell's downlink sends one camera after another what it has to have.

A camera gets the content in blocks, all of a version or what it differs in from the one that the camera has.
A lost block is sent again; what has arrived is kept, through outages and closed windows, for as long as the
same is wanted. With the last block the camera begins to rebuild and to verify the version, and takes it up
when that is done, or finds that it fails and stays as it is. It keeps the version before, so that to go back
it needs no more than a command.
"""

import numpy as np

from fleet_sim.basics.compiled import at, bare, inlined
from fleet_sim.basics.hashing import STREAM_BLOCK, STREAM_INSTALL, draw, draw_below
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.installs import newest, newest_since_us, one_before, take_back, take_up
from fleet_sim.engine.orders import content_of, goes_back, in_wave
from fleet_sim.network.blocks import NEVER_US, block_bits, open_us

MICRO = 1_000_000
NOTHING, NO_VERSION, NO_ROW = -1, -1, -1

# What travels counts for the version that it brings or takes back; "taken up" are those "returned" too.
AIR_COLUMNS = ("bits", "blocks", "blocks_lost", "taken_up", "left", "failed", "returned")
BITS, BLOCKS, BLOCKS_LOST, TAKEN_UP, LEFT, FAILED, RETURNED = range(7)
FIRST_AIR_COLUMNS = 6
"""So many were there at first; see counts.FIRST_COLUMNS."""

DOWNLOAD = np.dtype(
    [
        ("content", "i4"),  # what its blocks are of, or the last were, see `content_of`; or NOTHING
        ("failed", "i4"),  # the last version whose install failed, or NO_VERSION
        ("blocks", "i4"),  # that have arrived
        ("tried", "i4"),  # blocks ever sent to it
    ],
    align=True,
)
SENDER = np.dtype(
    [
        ("since_us", "i8"),  # since when it sends to this camera without a pause ...
        ("bits", "i8"),  # ... and how much, up to the last block that is through
        ("row", "i4"),  # the camera, or NO_ROW
        ("next", "i4"),  # the first row of the cell that was not yet looked at under this order
    ],
    align=True,
)


def idle(cameras: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """(cameras,) DOWNLOAD and (cells,) SENDER before the first order."""
    downloads, senders = np.zeros(cameras, DOWNLOAD), np.zeros(cells, SENDER)
    downloads["content"], downloads["failed"], senders["row"] = NOTHING, NO_VERSION, NO_ROW
    return downloads, senders


@bare()
def obey(cameras, u, fleet, order, air_VGSQ):
    """Take notice of an order: what is not as it says is not installed, and cells begin to look who wants it.

    A camera that is being sent the same goes on with it.
    """
    for row in range(u.cameras.shape[0]):
        if newest_since_us(cameras, row) > order.from_us and (
            order.back or newest(cameras, row) != order.version
        ):
            _count_change(cameras, u, fleet, row, -1, air_VGSQ)
            take_back(cameras, row)
    for cell in range(cameras.senders.shape[0]):
        sender = cameras.senders[cell]
        row = sender.row
        if row == NO_ROW or cameras.downloads[row].content != content_of(order):
            sender.row, sender.since_us, sender.bits = NO_ROW, order.from_us, 0
        sender.next = u.cells[cell].first_row


@bare()
def carry(cameras, u, fleet, order, until_us, air_VGSQ):
    """Take every block whose transmission ends before `until_us`."""
    for cell in range(cameras.senders.shape[0]):
        sender = cameras.senders[cell]
        while True:
            if sender.row == NO_ROW:
                sender.row = _next_wanting(cameras, u, fleet, order, cell)
                if sender.row == NO_ROW:
                    break
            row = sender.row
            download = cameras.downloads[row]
            content_bytes = order.content_bytes_V[newest(cameras, row)]
            bits = block_bits(fleet.downlink, content_bytes, np.int64(download.blocks))
            begins_us = sender.since_us + _time_us(sender.bits, fleet.downlink.bps)
            ends_us = sender.since_us + _time_us(sender.bits + bits, fleet.downlink.bps)
            opens_us = open_us(fleet.downlink, begins_us, ends_us - begins_us)
            if opens_us == NEVER_US:
                break
            if opens_us > begins_us:
                takes_us = _time_us(bits, fleet.downlink.bps)
                opens_us = open_us(fleet.downlink, opens_us, takes_us)
                if opens_us + takes_us >= until_us:
                    break
                sender.since_us, sender.bits, ends_us = opens_us, 0, opens_us + takes_us
            if ends_us >= until_us:
                break
            sender.bits += bits
            _block_sent(cameras, u, fleet, order, row, bits, ends_us, air_VGSQ)
            if np.int64(download.blocks) * fleet.downlink.block_bytes >= content_bytes:
                _all_there(cameras, u, fleet, order, row, ends_us, air_VGSQ)
                sender.row, sender.since_us, sender.bits = NO_ROW, ends_us, 0
    return 0


@inlined()
def _time_us(bits, bps):
    return -(-bits * MICRO // bps)


@inlined()
def _next_wanting(cameras, u, fleet, order, cell):
    """The next camera of the cell that the order has something for, or NO_ROW."""
    sender, state = cameras.senders[cell], u.cells[cell]
    while sender.next < state.first_row + state.rows:
        row = sender.next
        sender.next += 1
        download = cameras.downloads[row]
        if _wants(cameras, u, fleet, order, row):
            if download.content != content_of(order):
                download.content, download.blocks = content_of(order), 0
            return row
    return NO_ROW


@inlined()
def _wants(cameras, u, fleet, order, row):
    """Whether a camera is to have the ordered version, and can; or has it, and is to go back."""
    if order.back:
        return newest(cameras, row) == order.version
    if newest(cameras, row) == order.version or cameras.downloads[row].failed == order.version:
        return False
    return in_wave(fleet.seed, order.release, np.int64(u.cameras[row].camera), order.below_ppm)


@inlined()
def _block_sent(cameras, u, fleet, order, row, bits, ends_us, air_VGSQ):
    download, camera = cameras.downloads[row], np.int64(u.cameras[row].camera)
    lost = draw(fleet.seed, STREAM_BLOCK, camera, np.int64(download.tried)) >> np.uint64(32) < np.uint64(
        fleet.downlink.lost
    )
    download.tried += 1
    download.blocks += not lost
    count_Q = air_VGSQ[order.version, group_of(fleet, camera), ends_us // MICRO]
    count_Q[BITS] += bits
    count_Q[BLOCKS] += 1
    count_Q[BLOCKS_LOST] += lost
    if cameras.meters.shape[0] > 0:
        cameras.meters[row].received_bits += bits


@inlined()
def _all_there(cameras, u, fleet, order, row, ends_us, air_VGSQ):
    """The camera has every block: it will take the version up, or finds that it cannot."""
    download, camera = cameras.downloads[row], np.int64(u.cameras[row].camera)
    download.blocks = 0
    arrived_us = ends_us + fleet.link.propagation_us
    if order.back:
        take_up(cameras, row, one_before(cameras, row), arrived_us)
    else:
        taken_up_us = arrived_us + fleet.install_us
        toss_ppm = draw_below(fleet.seed, STREAM_INSTALL, camera, order.version, MICRO)
        if toss_ppm < fleet.install_failure_ppm:
            download.failed = order.version
            if taken_up_us < fleet.duration_us:
                air_VGSQ[order.version, group_of(fleet, camera), taken_up_us // MICRO, FAILED] += 1
            return
        take_up(cameras, row, order.version, taken_up_us)
    _count_change(cameras, u, fleet, row, 1, air_VGSQ)


@inlined()
def _count_change(cameras, u, fleet, row, sign, air_VGSQ):
    """Count when a camera takes up its newest version, there and as gone from the one before."""
    at_us = newest_since_us(cameras, row)
    if at_us < fleet.duration_us:
        group, second = group_of(fleet, np.int64(u.cameras[row].camera)), at_us // MICRO
        version = at(newest(cameras, row))
        air_VGSQ[version, group, second, TAKEN_UP] += sign
        air_VGSQ[at(one_before(cameras, row)), group, second, LEFT] += sign
        if goes_back(cameras.downloads[row].content):
            air_VGSQ[version, group, second, RETURNED] += sign
