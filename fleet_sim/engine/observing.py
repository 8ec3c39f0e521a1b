"""What a controller gets to see: filled in before each choice, counted while packets end."""

import numpy as np

from fleet_sim.basics.compiled import at, inlined
from fleet_sim.network import packets
from fleet_sim.network.uplink import AIR

PPM = 1_000_000
ESTIMATE_SCALE = 10_000


@inlined()
def look(
    o,
    mind,
    camera,
    air,
    fleet,
    messages,
    version,
    place,
    now_us,
    frame_period_us,
    plan_bits,
    alone_bits,
    rest_us,
):
    """Write down what a camera knows at `now_us` of a frame that is ready now."""
    link = fleet.link
    around = fleet.message_header_bytes + link.length_bytes
    o.now_us = now_us
    o.left_us = fleet.deadline_us - link.propagation_us - fleet.encode_us
    o.frame_period_us = frame_period_us
    o.plan_bits = plan_bits
    o.alone_bits = alone_bits
    o.packet_bits = 8 * link.mtu_bytes
    o.rest = link.rest_ppm / PPM
    o.rest_us = rest_us
    o.headroom = fleet.headroom_ppm / PPM
    o.levels = messages.expected_bits_VL.shape[1]
    for level in range(o.levels):
        o.expected_bits[level] = messages.expected_bits_VL[version, level]
        size = np.int64(messages.sizes_VFL2[at(version), at(place), at(level), 0]) + around
        o.expected_right[level] = messages.right_VL[version, level]
        o.frame_right[level] = o.expected_right[level]
        if messages.right_VFL.shape[0] > 0:
            o.frame_right[level] = messages.right_VFL[at(version), at(place), at(level)] / ESTIMATE_SCALE
        o.frame_bits[level] = 8 * packets.wire_bytes(link, size)
    on_air = camera.flags & AIR
    o.waiting_bits = 8 * np.int64(camera.waiting_bytes)
    o.waiting_frames = camera.length - (air.messages if on_air else 0)
    o.air_bits = 8 * np.int64(air.bytes) if on_air else 0
    o.busy_us = now_us - mind.since_us if camera.length > 0 else 0
    o.sent_bits = mind.sent_bits
    o.sent_us = mind.sent_us


@inlined()
def rest_us(u, link, row, now_us):
    """How long a camera still rests for its duty cycle."""
    if link.rest_ppm == 0:
        return np.int64(0)
    return max(u.waiting[row].not_before_us - now_us, np.int64(0))


@inlined()
def looked(mind, camera, now_us):
    """A choice was made: what was measured so far has been seen."""
    mind.sent_bits = 0
    mind.sent_us = 0
    if camera.length == 0:
        mind.since_us = now_us


@inlined()
def note_packet(mind, bits, now_us):
    """A packet of the camera ended."""
    mind.sent_bits += bits
    mind.sent_us += now_us - mind.since_us
    mind.since_us = now_us
