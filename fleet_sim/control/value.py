"""Value of bits: send what is worth more than the time it takes from others.

The gain of a frame at a level is how likely it is answered right, by the camera's own estimate, times how
surely it is through in time. Its price is the share of the time left for which the link is then taken, for
each bit of the least message: M. J. Neely's drift plus penalty ("Stochastic network optimization with
application to communication and queueing systems", 2010) with the queue counted in time. So a camera with an
idle link sends whatever helps, and one with a long queue only what is small and sure; bits are added only
while they pay, so a message that is sure enough stops early.
"""

from fleet_sim.control.measured import rate_in_turn, taken_us, through_us
from fleet_sim.control.observation import SKIP

# Chosen on seeds 0 and 1 of the links of benchmarks.controllers, which then runs seeds 100 to 119.
SPREAD = 0.9  # the measured rate may be off by so much either way
PRICE = 2.0  # of a least message, where the whole time left is taken; 1 is what an answer is worth
OWN = 0.5  # of a message's own time counts as taken


def value(o, mind):
    """The level of greatest gain less price; SKIP where none is positive."""
    rate = rate_in_turn(o, mind)
    left_us = max(o.left_us * 1.0, 1.0)
    queue_us = taken_us(o, o.waiting_bits + max(o.air_bits - rate * o.busy_us, 0.0), rate) + o.rest_us
    best, best_net = SKIP, 0.0
    for k in range(o.levels):
        own_us = through_us(o, o.frame_bits[k], rate)
        slack = left_us / max(queue_us + own_us, 1.0)
        surely = min(max((slack - (1.0 - SPREAD)) / (2.0 * SPREAD), 0.0), 1.0)
        price = PRICE * (queue_us + OWN * own_us) / left_us * o.frame_bits[k] / max(o.expected_bits[0], 1)
        net = o.frame_right[k] * surely - price
        if net > best_net:
            best, best_net = k, net
    return best
