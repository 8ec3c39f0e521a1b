"""Controllers that plan with what their own transmissions measured."""

from fleet_sim.basics.compiled import inlined
from fleet_sim.control.observation import SKIP

GAIN = 0.5  # weight of the latest measurement in the moving average
BACK_OFF, PROBE = 0.5, 0.25  # AIMD: what is kept after congestion; rungs of the ladder gained without
RATE, WINDOW = 0, 0  # notes


@inlined()
def measured_rate(o, mind, told_bits):
    """Bits a microsecond: a moving average of the camera's own throughput, and never more than shows now.

    A packet on the air that takes long tells of a slow link before it ends. Without any measurement it is
    `told_bits` in a frame period, to which the average also returns while nothing is sent: who never sends
    would never know better. Headroom, which was taken off what was told, is for the caller to take off.
    """
    told, known = told_bits / (o.headroom * o.frame_period_us), mind.notes[RATE]
    if known == 0.0:
        known = told
    if o.sent_us > 0:
        known += GAIN * (o.sent_bits / o.sent_us - known)
    elif o.busy_us == 0:
        known += GAIN * (told - known)
    mind.notes[RATE] = known
    rate = known
    if o.air_bits > 0 and o.busy_us > 0:
        rate = min(rate, o.air_bits / o.busy_us)
    return rate


@inlined()
def rate_in_turn(o, mind):
    """Bits a microsecond once it is the camera's turn, for those that ask when a frame would be through.

    A share of the cell is a mean over turns, in each of which a camera has all of the link. One that rests
    knows its rate: what it measures has rests in it.
    """
    if o.rest > 0:
        return max(o.alone_bits / (o.headroom * o.frame_period_us), 1e-9)
    return max(measured_rate(o, mind, o.alone_bits), 1e-9)


@inlined()
def through_us(o, bits, rate):
    """From the begin of a message until it is through, with rests between its packets."""
    packets = max((bits + o.packet_bits - 1) // o.packet_bits, 1)
    return bits / rate * (1.0 + o.rest * (packets - 1) / packets)


@inlined()
def taken_us(o, bits, rate):
    """For how long these bits keep the camera, rests included."""
    return bits / rate * (1.0 + o.rest)


@inlined()
def highest_within(bits_L, levels, room_bits):
    """Highest level of at most so many bits; level 0 if there is none."""
    level = 0
    for k in range(1, levels):
        if bits_L[k] <= room_bits:
            level = k
    return level


def throughput(o, mind):
    """The budget rule with a moving average of the measured throughput in the place of the told share."""
    plan_bits = o.headroom * measured_rate(o, mind, o.plan_bits) * o.frame_period_us
    return highest_within(o.expected_bits, o.levels, plan_bits - o.waiting_bits)


def frame_bits(o, mind):
    """The same by the frame's own coded sizes, and with all the time that is left until its deadline."""
    can_send_bits = o.headroom * measured_rate(o, mind, o.plan_bits) * min(o.left_us, o.frame_period_us)
    return highest_within(o.frame_bits, o.levels, can_send_bits - o.waiting_bits)


def aimd(o, mind):
    """Bits a frame grow by steps, and halve whenever the frame before has not yet begun.

    D.-M. Chiu, R. Jain, "Analysis of the increase and decrease algorithms for congestion avoidance in
    computer networks", 1989.
    """
    least, most = o.expected_bits[0], o.expected_bits[o.levels - 1]
    window = max(mind.notes[WINDOW], least * 1.0)
    if o.waiting_frames > 0:
        window *= BACK_OFF
    else:
        window += PROBE * (most - least) / o.levels
    mind.notes[WINDOW] = min(max(window, least * 1.0), most * 1.0)
    return highest_within(o.expected_bits, o.levels, mind.notes[WINDOW])


def drop(o, mind):
    """The top level, or nothing where the measured rate would bring it too late."""
    top = o.levels - 1
    rate = rate_in_turn(o, mind)
    ahead_us = taken_us(o, o.waiting_bits + o.air_bits, rate) + o.rest_us
    if ahead_us + through_us(o, o.frame_bits[top], rate) > o.left_us:
        return SKIP
    return top
