"""The cameras of one shard in virtual time: one compiled step over their rows.

Per cell, the next event is the end of a transmission, a camera whose wait is over, or a frame that is ready
to send. Events are taken in order of (time, camera), at one camera in the order just given, and each leaves
the state complete, so a step may stop at any event and the next one go on: the length of an epoch has no
meaning.
"""

import numpy as np

from fleet_sim.basics.compiled import at, bare, inlined
from fleet_sim.basics.hashing import STREAM_JITTER, draw_below
from fleet_sim.control.hull import MILLI
from fleet_sim.control.observation import SKIP
from fleet_sim.engine import allocating, observing
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.captures import next_capture_us
from fleet_sim.engine.installs import version_of
from fleet_sim.engine.ready import frame_ready
from fleet_sim.engine.tallying import add_packet, add_sent, count, counted_group
from fleet_sim.network import aloha, packets, queues, turns, waiting
from fleet_sim.network.link import ALOHA
from fleet_sim.network.queues import BUFFER, NONE, THROUGH
from fleet_sim.network.uplink import AIR, NEVER

# Why a step stops: it is done, or wants room for more messages in queues or among those that got through, or
# a controller gave a level that there is not.
DONE, POOL_FULL, SENT_FULL, NO_LEVEL = range(4)
# What happens next in a cell.
ENDS, WAKES, READY = range(3)
NOBODY = np.uint32(0xFFFFFFFF)


@inlined()
def _settle(cameras, u, pool, fleet, hulls, named, cell, now_us, tallies, sent, sent_count):
    """Count all finished messages, write down those that got through, and return how many those are now."""
    link, second = fleet.link, now_us // MICRO
    around = fleet.message_header_bytes + link.length_bytes
    place = queues.take_finished(pool)
    while place != NONE:
        message = pool.messages[at(place)]
        version, level, fate = np.int64(message.version), np.int64(message.level), np.int64(message.fate)
        camera = u.cameras[at(message.row)].camera
        group = counted_group(tallies, fleet, camera)
        if fate == THROUGH:
            bits = 8 * (np.int64(message.bytes) - around)
            add_sent(tallies.by_second_VSC[at(version), at(second)], level, bits, message.millibits)
            if named >= 0:
                add_sent(tallies.cells_KSC[named, second], level, bits, message.millibits)
            if group >= 0:
                add_sent(tallies.groups_GSC[group, second], level, bits, message.millibits)
            if cameras.told_CS.shape[0] > 0:
                bits = 8 * packets.wire_bytes(link, np.int64(message.bytes))
                allocating.hear(cameras.told_CS, fleet, hulls, cell, camera, version, level, bits)
            arrive_us = now_us + link.propagation_us
            if link.jitter_us > 0:
                arrive_us += draw_below(fleet.seed, STREAM_JITTER, camera, message.frame, link.jitter_us + 1)
            sent.arrive_us[at(sent_count)] = arrive_us
            sent.capture_us[at(sent_count)] = message.capture_us
            sent.camera[at(sent_count)] = camera
            sent.frame[at(sent_count)] = message.frame
            sent.level[at(sent_count)] = level
            sent.version[at(sent_count)] = version
            sent_count += 1
        else:
            column = c.DROPPED_BUFFER + fate - BUFFER
            count(tallies, named, group, version, second, column, 1)
        place = queues.take_finished(pool)
    return sent_count


@inlined()
def _packet_ends(cameras, u, pool, fleet, named, cell, row, now_us, tallies):
    """A packet is off the air: count it."""
    transmitter = row if fleet.link.sharing == ALOHA else cell
    begins = u.cameras[row].fragment == 0 and u.cameras[row].tries == 0
    version, bits, lost = packets.land(u, pool, fleet.link, fleet.seed, transmitter, row, now_us)
    second = now_us // MICRO
    add_packet(tallies.by_second_VSC[at(version), at(second)], bits, lost)
    if named >= 0:
        add_packet(tallies.cells_KSC[named, second], bits, lost)
    group = counted_group(tallies, fleet, u.cameras[row].camera)
    if group >= 0:
        add_packet(tallies.groups_GSC[group, second], bits, lost)
    u.cells[cell].wire_bits += bits
    if cameras.meters.shape[0] > 0:
        cameras.meters[row].wire_bits += bits
        cameras.meters[row].wakes += begins
    if cameras.account_R.shape[0] > 0:
        cameras.account_R[row] -= MILLI * bits
    if cameras.minds.shape[0] > 0:
        observing.note_packet(cameras.minds[row], bits, now_us)


@inlined()
def _next_event(cameras, u, cell, encode_us):
    """(time, row, what) of a cell's next event."""
    state = u.cells[cell]
    row = at(cameras.sources[at(state.first_row + cameras.control[cell].next)].order)
    time_us, event = cameras.sources[row].capture_us + encode_us, READY
    if state.wakes > 0:
        waking = at(u.waiting[at(state.first_row)].wake)
        wake_us = u.waiting[waking].wake_us
        if wake_us < time_us or (wake_us == time_us and waking <= row):
            time_us, row, event = wake_us, waking, WAKES
    if state.end_us < time_us or (state.end_us == time_us and state.sender <= row):
        time_us, row, event = state.end_us, at(state.sender), ENDS
    return time_us, row, event


@bare()
def step(
    cameras,
    u,
    pool,
    fleet,
    messages,
    guide,
    version_from_us_V,
    until_us,
    first,
    last,
    tallies,
    sent,
):
    """Take every event before `until_us` in the cells by_server_C[first : last]; fill `sent` from its start.

    Returns (DONE or what there is no room for, where to go on, messages in `sent`).
    """
    sent_count = 0
    link, seed, encode_us = fleet.link, fleet.seed, fleet.encode_us
    patience_us = fleet.deadline_us - link.propagation_us
    for place in range(first, last):
        cell = at(cameras.by_server_C[at(place)])
        named = cameras.control[cell].named
        while True:
            now_us, row, event = _next_event(cameras, u, cell, encode_us)
            if now_us >= until_us:
                break
            if pool.ends[0].free == NONE:
                return POOL_FULL, place, sent_count
            if sent_count + link.aggregate > sent.frame.shape[0]:
                return SENT_FULL, place, sent_count
            spare = np.int64(0)
            if event == READY:
                level = frame_ready(
                    cameras, u, pool, fleet, messages, guide, version_from_us_V, cell, row, tallies
                )
                if level < SKIP or level >= messages.expected_bits_VL.shape[1]:
                    return NO_LEVEL, level, sent_count
            else:
                if event == WAKES:
                    waiting.take_wake(u, u.cells[cell])
                transmits = row != NOBODY and u.cameras[row].flags & AIR
                if transmits and (event == ENDS or link.sharing == ALOHA):
                    spare = u.cells[cell].spare
                    _packet_ends(cameras, u, pool, fleet, named, cell, row, now_us, tallies)
            if link.sharing == ALOHA:
                aloha.send_or_wait(u, pool, link, seed, encode_us, patience_us, cell, row, now_us)
            else:
                if row != NOBODY:
                    turns.line_up(u, pool, link, encode_us, u.cells[cell], row, now_us, event != ENDS)
                if event == ENDS or u.cells[cell].end_us == NEVER:
                    turns.send_next(
                        u, pool, link, seed, encode_us, patience_us, fleet.duration_us, cell, now_us, spare
                    )
            sent_count = _settle(
                cameras, u, pool, fleet, messages.hulls, named, cell, now_us, tallies, sent, sent_count
            )
    return DONE, last, sent_count


@bare()
def count_unfinished(cameras, u, fleet, version_from_us_V, tallies):
    """At the end of the run, offer frames captured but not yet ready; return how many frames cameras hold."""
    held = 0
    for cell in range(u.cells.shape[0]):
        named, first_row = cameras.control[cell].named, u.cells[cell].first_row
        for row in range(first_row, first_row + u.cells[cell].rows):
            held += u.cameras[row].length
            camera = np.int64(u.cameras[row].camera)
            group = counted_group(tallies, fleet, camera)
            frame, capture_us = np.int64(cameras.sources[row].frame), cameras.sources[row].capture_us
            while capture_us < fleet.duration_us:
                version = version_of(cameras, version_from_us_V, row, capture_us)
                count(tallies, named, group, version, capture_us // MICRO, c.OFFERED, 1)
                held += 1
                capture_us = next_capture_us(fleet, camera, frame, capture_us)
                frame += 1
    return held
