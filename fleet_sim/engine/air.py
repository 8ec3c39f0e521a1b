"""Encoders over the air: each cell's downlink sends one camera after another what it has to have.

A camera gets the content in blocks. A lost block is sent again; what has arrived is kept, through outages
and closed windows, for as long as the same version is wanted. With the last block the camera begins to
rebuild and to verify the version, and takes it up when that is done, or finds that it fails and stays as it
is. It keeps the version before, so that to go back it needs no more than a command.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import at, bare, inlined
from fleet_sim.basics.hashing import STREAM_BLOCK, STREAM_INSTALL, STREAM_ROLLOUT, draw, draw_below
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.installs import newest, newest_since_us, take_back, take_up
from fleet_sim.network.blocks import NEVER_US, block_bits, open_us

MICRO = 1_000_000
NO_VERSION = -1
NO_ROW = -1

AIR_COLUMNS = ("bits", "blocks", "blocks_lost", "taken_up", "left", "failed")
BITS, BLOCKS, BLOCKS_LOST, TAKEN_UP, LEFT, FAILED = range(6)

DOWNLOAD = np.dtype(
    [
        ("version", "i2"),  # that its blocks are of, NO_VERSION without any
        ("failed", "i2"),  # the last version whose install failed, or NO_VERSION
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


class Order(NamedTuple):
    """What a part of the fleet is to have, until the next order."""

    number: int  # the first is 0
    from_us: int
    version: int
    release: int  # whose waves these are, see `in_wave`
    below_ppm: int
    content_bytes: int  # that bring a camera there
    command: bool  # the content is a command to take up a version that the camera has


NO_ORDER = Order(-1, 0, 0, 0, 0, 0, False)


class Known(NamedTuple):
    """What shards know of versions while they go on to some time."""

    from_us_V: np.ndarray  # where versions do not travel: from when on every camera has each
    order: Order = NO_ORDER


def idle(cameras: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """(cameras,) DOWNLOAD and (cells,) SENDER before the first order."""
    downloads, senders = np.zeros(cameras, DOWNLOAD), np.zeros(cells, SENDER)
    downloads["version"], downloads["failed"], senders["row"] = NO_VERSION, NO_VERSION, NO_ROW
    return downloads, senders


@inlined()
def in_wave(seed, release, camera, below_ppm):
    """Whether a camera is among the first so many millionths of the fleet that a release goes to."""
    return draw_below(seed, STREAM_ROLLOUT, camera, release, MICRO) < below_ppm


@bare()
def cameras_in_wave(seed, release, cameras, below_ppm):
    """How many of the fleet's cameras are."""
    count = 0
    for camera in range(cameras):
        count += in_wave(seed, release, camera, below_ppm)
    return count


@bare()
def obey(cameras, u, fleet, order, air_VGSQ):
    """Take notice of an order: what it takes back is not installed, and cells begin to look who wants it.

    A camera that is being sent the same version goes on with it.
    """
    for row in range(u.cameras.shape[0]):
        version = newest(cameras, row)
        if newest_since_us(cameras, row) > order.from_us and version != order.version:
            _count_change(cameras, u, fleet, row, version, newest_since_us(cameras, row), -1, air_VGSQ)
            take_back(cameras, row)
    for cell in range(cameras.senders.shape[0]):
        sender = cameras.senders[cell]
        row = sender.row
        if row == NO_ROW or cameras.downloads[row].version != order.version:
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
            bits = block_bits(fleet.downlink, order.content_bytes, np.int64(download.blocks))
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
            if np.int64(download.blocks) * fleet.downlink.block_bytes >= order.content_bytes:
                _all_there(cameras, u, fleet, order, row, ends_us, air_VGSQ)
                sender.row, sender.since_us, sender.bits = NO_ROW, ends_us, 0
    return 0


@inlined()
def _time_us(bits, bps):
    return -(-bits * MICRO // bps)


@inlined()
def _next_wanting(cameras, u, fleet, order, cell):
    """The next camera of the cell that is to have the ordered version and will not, or NO_ROW."""
    sender, state = cameras.senders[cell], u.cells[cell]
    while sender.next < state.first_row + state.rows:
        row = sender.next
        sender.next += 1
        download, camera = cameras.downloads[row], np.int64(u.cameras[row].camera)
        if newest(cameras, row) == order.version or download.failed == order.version:
            continue
        if in_wave(fleet.seed, order.release, camera, order.below_ppm):
            if download.version != order.version:
                download.version, download.blocks = order.version, 0
            return row
    return NO_ROW


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


@inlined()
def _all_there(cameras, u, fleet, order, row, ends_us, air_VGSQ):
    """The camera has every block: it will take the version up, or finds that it cannot."""
    download, camera = cameras.downloads[row], np.int64(u.cameras[row].camera)
    download.version, download.blocks = NO_VERSION, 0
    arrived_us = ends_us + fleet.link.propagation_us
    if order.command:
        taken_up_us = arrived_us
    else:
        taken_up_us = arrived_us + fleet.install_us
        toss_ppm = draw_below(fleet.seed, STREAM_INSTALL, camera, order.version, MICRO)
        if toss_ppm < fleet.install_failure_ppm:
            download.failed = order.version
            if taken_up_us < fleet.duration_us:
                air_VGSQ[order.version, group_of(fleet, camera), taken_up_us // MICRO, FAILED] += 1
            return
    take_up(cameras, row, order.version, taken_up_us)
    _count_change(cameras, u, fleet, row, order.version, taken_up_us, 1, air_VGSQ)


@inlined()
def _count_change(cameras, u, fleet, row, version, at_us, sign, air_VGSQ):
    """A camera takes up its newest version then: count it there, and as gone from the one before."""
    if at_us < fleet.duration_us:
        group = group_of(fleet, np.int64(u.cameras[row].camera))
        before = cameras.versions_R3[row, cameras.versions_R3.shape[1] - 2]
        air_VGSQ[version, group, at_us // MICRO, TAKEN_UP] += sign
        air_VGSQ[at(before), group, at_us // MICRO, LEFT] += sign
