"""Packets: what goes on the air at once, how it ends, and what gives way to what.

A *packet* is several whole messages of one camera under one header, one message, or a fragment of one.
"""

import numpy as np

from fleet_sim.basics.compiled import at, inlined
from fleet_sim.basics.hashing import STREAM_BACKOFF, STREAM_FADING, STREAM_LOSS, draw, draw_below
from fleet_sim.network.link import DROP_HEAD
from fleet_sim.network.queues import BUFFER, LATE, LOST, NONE, OUT, THROUGH, finish_after
from fleet_sim.network.uplink import AIR, CUT, PPM, SOUND


@inlined()
def pieces(link, size):
    """(packets that a message of `size` bytes takes, header bytes of each, most message bytes in each)."""
    room = link.mtu_bytes - link.header_bytes
    if size <= room:
        return 1, link.header_bytes, room
    room -= link.fragment_bytes
    return (size + room - 1) // room, link.header_bytes + link.fragment_bytes, room


@inlined()
def wire_bytes(link, size):
    """Bytes that a message of `size` bytes takes with its packets' headers, sent on its own."""
    packets, header, _ = pieces(link, size)
    return size + packets * header


@inlined()
def left_bytes(link, size, fragments):
    """What of `wire_bytes` is left to send after so many packets of a message."""
    packets, header, room = pieces(link, size)
    return size - min(size, fragments * room) + (packets - fragments) * header


@inlined()
def packet(camera, pool, link):
    """(bytes, waiting bytes it takes away, messages that are through with it) of a camera's next packet."""
    message = pool.messages[at(camera.first)]
    size = np.int64(message.bytes)
    packets, header, room = pieces(link, size)
    if packets > 1:
        sent = camera.fragment * room
        part = min(room, size - sent) + header
        return part, part, 1 if sent + room >= size else 0
    messages = 1
    while messages < link.aggregate and message.next != NONE:
        message = pool.messages[message.next]
        if size + message.bytes > room:
            break
        size += message.bytes
        messages += 1
    return size + header, size + messages * header, messages


@inlined()
def rate_share_ppm(u, link, seed, row, now_us):
    """A camera's share of the cell's rate: where it stands, and how its channel fades."""
    share = np.int64(PPM)
    if link.fading_us > 0:
        camera, block = u.cameras[row].camera, now_us // link.fading_us
        share = link.fading_ppm_S[draw_below(seed, STREAM_FADING, camera, block, link.fading_ppm_S.shape[0])]
    if u.rate_ppm.shape[0] > 0:
        share = max(share * u.rate_ppm[row] // PPM, np.int64(1))
    return share


@inlined()
def fails(camera, link, seed):
    """Whether the channel loses a camera's packet: Gilbert-Elliott by packet, as tc-netem has it.

    The state before the packet decides on its loss, then the state may change. (E. N. Gilbert, "Capacity of a
    burst-noise channel", 1960; E. O. Elliott, 1963.)
    """
    if link.loss_good == 0 and link.to_bad == 0:
        return False
    bits = draw(seed, STREAM_LOSS, camera.camera, camera.attempts)
    toss, turn = np.int64(bits >> np.uint64(32)), np.int64(bits & np.uint64(0xFFFFFFFF))
    if camera.bad:
        camera.bad = turn >= link.to_good
        return toss < link.loss_bad
    camera.bad = turn < link.to_bad
    return toss < link.loss_good


@inlined()
def put_on_air(camera, air, now_us, size, waiting, messages):
    """Begin a packet."""
    camera.waiting_bytes -= waiting
    camera.attempts += 1
    camera.flags |= AIR
    air.bytes = size
    air.messages = messages
    air.fate = SOUND
    air.since_us = now_us


@inlined()
def land(u, pool, link, seed, transmitter, row, now_us):
    """The packet on the air ends: (its version, bits that went over the air, was it lost).

    What is done with goes to the pool's list of finished messages; what is to be tried again waits again. A
    packet that an outage cuts off counts no bits.
    """
    camera, air = u.cameras[row], u.air[transmitter]
    camera.flags &= ~AIR
    messages, fate = np.int64(air.messages), air.fate
    version = np.int64(pool.messages[at(camera.first)].version)
    lost = fate != SOUND or fails(camera, link, seed)
    rest_us, wait_us = np.int64(0), np.int64(0)
    if link.rest_ppm > 0:
        rest_us = ((now_us - air.since_us) * link.rest_ppm + 999_999) // 1_000_000
    if not lost:
        camera.tries = 0
        if messages == 0:
            camera.fragment += 1
        else:
            camera.fragment = 0
            for _ in range(messages):
                finish_after(camera, pool, NONE, THROUGH)
    elif camera.tries < link.retries:
        camera.tries += 1
        camera.waiting_bytes += air.bytes + max(messages - 1, 0) * link.header_bytes
        wait_us += link.retry_wait_us
        if link.backoff_us > 0:
            wait_us += draw_below(seed, STREAM_BACKOFF, camera.camera, camera.attempts, link.backoff_us)
    else:
        camera.tries = 0
        if messages == 0:  # the rest of its message is not worth sending
            size = np.int64(pool.messages[at(camera.first)].bytes)
            camera.waiting_bytes -= left_bytes(link, size, camera.fragment + 1)
        camera.fragment = 0
        for _ in range(max(messages, 1)):
            finish_after(camera, pool, NONE, OUT if fate == CUT else LOST)
    if u.waiting.shape[0] > 0:
        u.waiting[row].not_before_us = now_us + max(rest_us, wait_us)
    return version, np.int64(0) if fate == CUT else 8 * np.int64(air.bytes), lost


@inlined()
def drop_late(camera, pool, link):
    """Give up a camera's oldest message, none of whose packets is on the air."""
    camera.waiting_bytes -= left_bytes(link, np.int64(pool.messages[at(camera.first)].bytes), camera.fragment)
    camera.fragment = 0
    camera.tries = 0
    finish_after(camera, pool, NONE, LATE)


@inlined()
def make_room(camera, air, pool, link, wire):
    """Whether `wire` more bytes fit a camera's buffer, once its oldest messages gave way where they shall.

    What is on the air gives no way, nor does the rest of a message with a fragment on the air; nothing is
    dropped where that would not make room.
    """
    staying = np.int64(0)
    if camera.flags & AIR and air.messages == 0:
        size = np.int64(pool.messages[at(camera.first)].bytes)
        staying += left_bytes(link, size, camera.fragment + 1)
    most = link.buffer_bytes - wire
    if camera.waiting_bytes > most and (link.queue != DROP_HEAD or staying > most):
        return False
    while camera.waiting_bytes > most:
        _drop_oldest(camera, air, pool, link)
    return True


@inlined()
def _drop_oldest(camera, air, pool, link):
    """Let the oldest message give way that is not on the air; there is one."""
    before, sent = NONE, np.int64(0)
    if camera.flags & AIR:
        before = np.int64(camera.first)
        for _ in range(max(np.int64(air.messages), 1) - 1):
            before = np.int64(pool.messages[before].next)
    else:
        sent += camera.fragment
        camera.fragment = 0
        camera.tries = 0
    victim = np.int64(camera.first) if before == NONE else np.int64(pool.messages[before].next)
    camera.waiting_bytes -= left_bytes(link, np.int64(pool.messages[victim].bytes), sent)
    finish_after(camera, pool, before, BUFFER)
