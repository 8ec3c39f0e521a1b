"""A frame that its camera has encoded: the level it is sent at, and its place in the camera's queue."""

import numpy as np

from fleet_sim.basics.compiled import at, inlined
from fleet_sim.control.budget import budget_level
from fleet_sim.control.hull import MILLI
from fleet_sim.control.observation import SKIP
from fleet_sim.engine import allocating, observing
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.captures import in_rounds, next_capture_us
from fleet_sim.engine.groups import frame_period_of, part_of
from fleet_sim.engine.installs import version_of
from fleet_sim.engine.tallying import count, counted_group
from fleet_sim.engine.views import scene_of
from fleet_sim.network import heap, packets, queues
from fleet_sim.network.link import ALOHA
from fleet_sim.network.uplink import AIR


@inlined()
def frame_ready(cameras, u, pool, fleet, messages, guide, version_from_us_V, cell, row, tallies):
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
    group = counted_group(tallies, fleet, number)
    if cameras.meters.shape[0] > 0:
        meter = cameras.meters[row]
        if capture_us < meter.busy_us:
            count(tallies, control.named, group, version, capture_us // MICRO, c.OFFERED, 1)
            count(tallies, control.named, group, version, capture_us // MICRO, c.DROPPED_BUSY, 1)
            return np.int64(0)
        meter.busy_us = capture_us + fleet.encode_us
        meter.encoded += 1
    air = u.air[row if link.sharing == ALOHA else cell]
    ready_us, period_us, plan = capture_us + fleet.encode_us, fleet.frame_period_us, control.plan_bits
    if fleet.groups.upto_G.shape[0] > 0:
        period_us = frame_period_of(fleet, number)
        plan = part_of(fleet, group, plan)
    told = (np.int64(0), np.int64(0))
    if cameras.told_CS.shape[0] > 0:
        told = allocating.told_millibits(cameras, fleet, version_from_us_V, cell, row, number, ready_us)
        plan = told[0] // MILLI
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
        if cameras.account_R.shape[0] > 0:
            queued_bits = backlog_bits + (8 * np.int64(air.bytes) if camera.flags & AIR else 0)
            level = allocating.level_of(
                cameras.account_R, row, fleet, messages.hulls, version, number, told, queued_bits
            )
        else:
            level = budget_level(messages.expected_bits_VL[version], plan, backlog_bits)
    count(tallies, control.named, group, version, capture_us // MICRO, c.OFFERED, 1)
    if level == SKIP:
        count(tallies, control.named, group, version, ready_us // MICRO, c.DROPPED_SKIPPED, 1)
        return level
    around = fleet.message_header_bytes + link.length_bytes
    content = np.int64(messages.sizes_VFL2[at(version), at(place), at(level), 0]) + around
    wire = packets.wire_bytes(link, content)
    if packets.make_room(camera, air, pool, link, wire):
        millibits = messages.sizes_VFL2[at(version), at(place), at(level), 1]
        queues.append(camera, pool, row, frame, capture_us, content, millibits, level, version, wire)
    else:
        second = (capture_us + fleet.encode_us) // MICRO
        count(tallies, control.named, group, version, second, c.DROPPED_BUFFER, 1)
    return level
