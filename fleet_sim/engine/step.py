"""The cameras of one shard in virtual time: one compiled step over their rows.

Per cell, the next event is the end of a transmission, a camera whose wait is over, or a frame that is ready
to send. Events are taken in order of (time, camera), at one camera in the order just given, and each leaves
the state complete, so a step may stop at any event and the next one go on: the length of an epoch has no
meaning.
"""

import numpy as np

from fleet_sim.basics.compiled import at, bare, inlined
from fleet_sim.basics.hashing import STREAM_JITTER, draw_below
from fleet_sim.control.budget import budget_level
from fleet_sim.control.observation import SKIP
from fleet_sim.engine import allocating, observing
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.captures import in_rounds, next_capture_us
from fleet_sim.engine.groups import frame_period_of, group_of, part_of
from fleet_sim.engine.installs import version_of
from fleet_sim.engine.views import scene_of
from fleet_sim.network import aloha, heap, packets, queues, turns, waiting
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
def _count(tallies, named, group, version, second, column, amount):
    tallies.by_second_VSC[at(version), at(second), column] += amount
    if named >= 0:
        tallies.cells_KSC[named, second, column] += amount
    if group >= 0:
        tallies.groups_GSC[group, second, column] += amount


@inlined()
def _counted_group(tallies, fleet, camera):
    """The group whose row this camera counts in; -1 where groups are not counted."""
    return group_of(fleet, camera) if tallies.groups_GSC.shape[0] > 0 else -1


@inlined()
def _add_sent(count_C, level, payload_bits, millibits):
    count_C[c.SENT] += 1
    count_C[c.LEVEL_SUM] += level
    count_C[c.PAYLOAD_BITS] += payload_bits
    count_C[c.IDEAL_MILLIBITS] += millibits


@inlined()
def _add_packet(count_C, bits, lost):
    count_C[c.PACKETS] += 1
    count_C[c.WIRE_BITS] += bits
    count_C[c.PACKETS_LOST] += lost


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
        group = _counted_group(tallies, fleet, camera)
        if fate == THROUGH:
            bits = 8 * (np.int64(message.bytes) - around)
            _add_sent(tallies.by_second_VSC[at(version), at(second)], level, bits, message.millibits)
            if named >= 0:
                _add_sent(tallies.cells_KSC[named, second], level, bits, message.millibits)
            if group >= 0:
                _add_sent(tallies.groups_GSC[group, second], level, bits, message.millibits)
            if cameras.told_CG.shape[0] > 0:
                bits = 8 * packets.wire_bytes(link, np.int64(message.bytes))
                allocating.hear(cameras.told_CG, fleet, hulls, cell, camera, version, level, bits)
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
            _count(tallies, named, group, version, second, column, 1)
        place = queues.take_finished(pool)
    return sent_count


@inlined()
def _frame_ready(cameras, u, pool, fleet, messages, guide, version_from_us_V, cell, row, tallies):
    """A camera has encoded its next frame: pick its level and queue it; what gives way is counted.

    Returns the level; one that is not on the ladder is not taken, and the frame gets lost.
    """
    source, control, camera = cameras.sources[row], cameras.control[cell], u.cameras[row]
    link, number = fleet.link, np.int64(camera.camera)
    frame, capture_us = np.int64(source.frame), source.capture_us
    source.frame += 1
    source.capture_us = next_capture_us(fleet, number, frame, capture_us)
    first_row, size = u.cells[cell].first_row, u.cells[cell].rows
    if in_rounds(fleet):
        control.next = 0 if control.next + 1 == size else control.next + 1
    else:
        heap.advance_top(cameras.sources["order"], first_row, size, cameras.sources["capture_us"])
    version = version_of(cameras, version_from_us_V, row, capture_us)
    if messages.live_from_R.shape[0] > 0:
        place = messages.live_from_R[row] + frame - messages.live_frame_R[row]
    else:
        place = scene_of(fleet, number, frame, capture_us)
    group = _counted_group(tallies, fleet, number)
    if cameras.meters.shape[0] > 0:
        meter = cameras.meters[row]
        if capture_us < meter.busy_us:
            _count(tallies, control.named, group, version, capture_us // MICRO, c.OFFERED, 1)
            _count(tallies, control.named, group, version, capture_us // MICRO, c.DROPPED_BUSY, 1)
            return np.int64(0)
        meter.busy_us = capture_us + fleet.encode_us
        meter.encoded += 1
    air = u.air[row if link.sharing == ALOHA else cell]
    ready_us, period_us, plan = capture_us + fleet.encode_us, fleet.frame_period_us, control.plan_bits
    if fleet.groups.upto_G.shape[0] > 0:
        period_us = frame_period_of(fleet, number)
        plan = part_of(fleet, group, plan)
    if cameras.told_CG.shape[0] > 0:
        plan = allocating.told_bits(cameras.told_CG, fleet, cell, number, ready_us)
    level = np.int64(fleet.fixed_level)
    if cameras.minds.shape[0] > 0:
        observation, mind = guide.observation[0], cameras.minds[row]
        observing.look(
            observation,
            mind,
            camera,
            air,
            fleet,
            messages,
            version,
            place,
            ready_us,
            period_us,
            plan,
            part_of(fleet, group, control.alone_bits),
            observing.rest_us(u, link, row, ready_us),
        )
        level = guide.choose(observation, mind)
        observing.looked(mind, camera, ready_us)
        if level < SKIP or level >= messages.expected_bits_VL.shape[1]:
            return level
    elif level < 0:
        backlog_bits = 8 * np.int64(camera.waiting_bytes)
        if cameras.told_CG.shape[0] > 0:
            room_bits = plan - backlog_bits
            level = allocating.level_of(
                cameras.saved_bits_R, row, fleet, messages.hulls, version, number, room_bits
            )
        else:
            level = budget_level(messages.expected_bits_VL[version], plan, backlog_bits)
    _count(tallies, control.named, group, version, capture_us // MICRO, c.OFFERED, 1)
    if level == SKIP:
        _count(tallies, control.named, group, version, ready_us // MICRO, c.DROPPED_SKIPPED, 1)
        return level
    around = fleet.message_header_bytes + link.length_bytes
    content = np.int64(messages.sizes_VFL2[at(version), at(place), at(level), 0]) + around
    wire = packets.wire_bytes(link, content)
    if packets.make_room(camera, air, pool, link, wire):
        millibits = messages.sizes_VFL2[at(version), at(place), at(level), 1]
        queues.append(camera, pool, row, frame, capture_us, content, millibits, level, version, wire)
    else:
        second = (capture_us + fleet.encode_us) // MICRO
        _count(tallies, control.named, group, version, second, c.DROPPED_BUFFER, 1)
    return level


@inlined()
def _packet_ends(cameras, u, pool, fleet, named, cell, row, now_us, tallies):
    """A packet is off the air: count it."""
    transmitter = row if fleet.link.sharing == ALOHA else cell
    begins = u.cameras[row].fragment == 0 and u.cameras[row].tries == 0
    version, bits, lost = packets.land(u, pool, fleet.link, fleet.seed, transmitter, row, now_us)
    second = now_us // MICRO
    _add_packet(tallies.by_second_VSC[at(version), at(second)], bits, lost)
    if named >= 0:
        _add_packet(tallies.cells_KSC[named, second], bits, lost)
    group = _counted_group(tallies, fleet, u.cameras[row].camera)
    if group >= 0:
        _add_packet(tallies.groups_GSC[group, second], bits, lost)
    u.cells[cell].wire_bits += bits
    if cameras.meters.shape[0] > 0:
        cameras.meters[row].wire_bits += bits
        cameras.meters[row].wakes += begins
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
                level = _frame_ready(
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
            group = _counted_group(tallies, fleet, camera)
            frame, capture_us = np.int64(cameras.sources[row].frame), cameras.sources[row].capture_us
            while capture_us < fleet.duration_us:
                version = version_of(cameras, version_from_us_V, row, capture_us)
                _count(tallies, named, group, version, capture_us // MICRO, c.OFFERED, 1)
                held += 1
                capture_us = next_capture_us(fleet, camera, frame, capture_us)
                frame += 1
    return held
