"""Model-predictive control: the level that begins the best plan for five frames at the measured rate.

After X. Yin, A. Jindal, V. Sekar, B. Sinopoli, "A control-theoretic approach for dynamic adaptive video
streaming over HTTP", SIGCOMM 2015, with their robust rate: the measured one, less what its prediction missed
of late. What is gained is the calibrated share of right answers of the frames that are through in time.
"""

import math

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.control.measured import RATE, rate_in_turn, taken_us, through_us
from fleet_sim.control.observation import SKIP

HORIZON = 5
MISSED, FORGOTTEN = (
    1,
    0.9,
)  # a note, the greatest relative error of late, and what is left of it a frame later
BINS = 24  # of the time for which the link is taken, up to what is left to a deadline


@compiled()
def worth_by_taken(o, rate):
    """(BINS + 2,) what four frames after this one gain, by the time for which the link is taken before them.

    Times are rounded up to the next bin; behind the last one nothing comes in time at first.
    """
    width_us = max(o.left_us / BINS, 1.0)
    later, worth = np.zeros(BINS + 2), np.zeros(BINS + 2)
    for _ in range(HORIZON - 1):
        for place in range(BINS + 2):
            rested = max(0, math.ceil(place - o.frame_period_us / width_us))
            worth[place] = later[rested]
            for k in range(o.levels):
                begin_us, bits = place * width_us, o.expected_bits[k]
                if begin_us + through_us(o, bits, rate) > o.left_us:
                    break
                after = math.ceil((begin_us + taken_us(o, bits, rate) - o.frame_period_us) / width_us)
                worth[place] = max(worth[place], o.expected_right[k] + later[min(max(0, after), BINS + 1)])
        later, worth = worth, later
    return later


def predictive(o, mind):
    """A dynamic programme over (frame, time until the link is free); SKIP where no level pays."""
    if o.sent_us > 0 and o.sent_bits > 0:
        latest = o.sent_bits / o.sent_us
        missed = abs(mind.notes[RATE] - latest) / latest if mind.notes[RATE] > 0.0 else 0.0
        mind.notes[MISSED] = max(missed, FORGOTTEN * mind.notes[MISSED])
    rate = max(o.headroom * rate_in_turn(o, mind) / (1.0 + min(mind.notes[MISSED], 1.0)), 1e-9)
    width_us = max(o.left_us / BINS, 1.0)
    later = worth_by_taken(o, rate)
    ahead_us = taken_us(o, o.waiting_bits + max(o.air_bits - rate * o.busy_us, 0.0), rate) + o.rest_us
    best, best_worth = (
        SKIP,
        later[min(max(0, math.ceil((ahead_us - o.frame_period_us) / width_us)), BINS + 1)],
    )
    for k in range(o.levels):
        if ahead_us + through_us(o, o.frame_bits[k], rate) <= o.left_us:
            after_us = ahead_us + taken_us(o, o.frame_bits[k], rate) - o.frame_period_us
            after = math.ceil(after_us / width_us)
            worth = o.frame_right[k] + later[min(max(0, after), BINS + 1)]
            if worth > best_worth:
                best, best_worth = k, worth
    return best
