"""ALOHA cells: every camera has its own transmitter, sends as soon as it may, and collides.

A packet takes one of the cell's channels at random. Packets on one channel that overlap in time are all lost.
(N. Abramson, "The ALOHA system", 1970: pure ALOHA, without slots; no capture effect.)
"""

from fleet_sim.basics.compiled import inlined
from fleet_sim.basics.hashing import STREAM_CHANNEL, draw_below
from fleet_sim.network.link import AIRTIME, DROP_EXPIRED, DROP_LATE, WORK_A_BIT
from fleet_sim.network.packets import drop_late, packet, put_on_air
from fleet_sim.network.uplink import AIR, COLLIDED, CUT
from fleet_sim.network.waiting import cancel_wake, must_wait_until, outage_after, set_wake


@inlined()
def send_or_wait(u, pool, link, seed, encode_us, patience_us, place_C, row, now_us):
    """Begin the camera's next packet if it has one and may, or let it wait until it may."""
    camera, air, cell = u.cameras[row], u.air[row], u.cells[place_C]
    while camera.length > 0 and not camera.flags & AIR:
        from_us = max(now_us, must_wait_until(u, pool, link, encode_us, row))
        out_us, back_us = outage_after(link, from_us)
        if out_us <= from_us:
            from_us = back_us
        if from_us > now_us:
            set_wake(u, cell, row, from_us)
            return
        size, waiting, messages = packet(camera, pool, link)
        if link.capacity == AIRTIME:
            end_us = now_us + link.airtime_us_B[size]
        else:
            end_us = now_us + (8 * size * WORK_A_BIT + link.bps - 1) // link.bps
        expiry_us = pool.messages[camera.first].capture_us + patience_us
        expired = link.queue == DROP_EXPIRED and now_us >= expiry_us
        if expired or (link.queue == DROP_LATE and end_us > expiry_us):
            drop_late(camera, pool, link)
            continue
        put_on_air(camera, air, now_us, size, waiting, messages)
        if out_us < end_us:
            end_us = out_us
            air.fate = CUT
        _take_channel(u, link, seed, place_C, row, now_us, end_us)
        cancel_wake(u, cell, row)
        set_wake(u, cell, row, end_us)


@inlined()
def _take_channel(u, link, seed, place_C, row, now_us, end_us):
    camera = u.cameras[row]
    drawn = draw_below(seed, STREAM_CHANNEL, camera.camera, camera.attempts, link.channels)
    channel = u.channels[place_C, drawn]
    if channel.busy_until_us > now_us:
        _collide(u.air[row])
        if channel.alone >= 0:
            _collide(u.air[channel.alone])
        channel.alone = -1
    else:
        channel.alone = row
    channel.busy_until_us = max(channel.busy_until_us, end_us)


@inlined()
def _collide(air):
    if air.fate != CUT:
        air.fate = COLLIDED
