"""The constants of a link, as the compiled step wants them: whole numbers and arrays of them.

Capacity is counted in *work*: one unit is a millionth of a bit, so `bps` does `bps` units a microsecond.
Probabilities are 32-bit thresholds: a draw below the threshold is a hit, so 2**32 is certainty.
"""

from typing import NamedTuple

import numpy as np

WORK_A_BIT = 1_000_000
CERTAIN = 1 << 32

# How much a cell carries over time.
CONSTANT, SEGMENTS, MARKOV, TOKENS, AIRTIME = range(5)
# Who sends next.
FIFO, ROUND_ROBIN, MAX_MIN, PROPORTIONAL, ALOHA = range(5)
# What gives way: packets that would come too late (then the newest), the newest, the oldest, or packets whose
# time is over before they begin (then the newest).
DROP_LATE, DROP_TAIL, DROP_HEAD, DROP_EXPIRED = range(4)


class Link(NamedTuple):
    """One uplink profile at one sweep point; every cell of the point has it."""

    bps: int  # CONSTANT: the rate; TOKENS: the line rate; AIRTIME and others: mean, for the controller's plan
    budget_bps: int  # mean capacity of a cell, what cameras plan with
    capacity: int
    # SEGMENTS, the first at 0: from at_us_S[s] on, bps_S[s] and, at that moment, burst_work_S[s];
    # repeats after lap_us.
    at_us_S: np.ndarray
    bps_S: np.ndarray
    burst_work_S: np.ndarray
    lap_us: int
    offset_us: int  # cells start within [0, offset_us) of the lap, each at its own drawn place; 1: all at 0
    # MARKOV: state s of bps_S; each slot_us the next state is the first whose
    # cumulative threshold (the last is CERTAIN) exceeds a draw.
    slot_us: int
    next_SS: np.ndarray  # (S, S) int64 cumulative thresholds
    first_S: np.ndarray  # (S,) the same for slot 0
    # TOKENS
    token_bps: int
    bucket_bits: int
    # AIRTIME: time on air of a packet of so many bytes, header included.
    airtime_us_B: np.ndarray

    sharing: int
    channels: int  # ALOHA: each packet takes one of these at random
    half_life_us: int  # PROPORTIONAL: served bits are halved at each multiple of this time
    fading_us: int  # a camera's share of the rate changes after this time; 0: no fading
    fading_ppm_S: np.ndarray  # its equally likely values

    propagation_us: int
    jitter_us: int  # each frame's arrival is late by up to this
    header_bytes: int  # a packet's headers, beside what it carries
    fragment_bytes: int  # further header of each fragment of a message that takes several
    mtu_bytes: int  # largest packet, headers included
    aggregate: int  # most messages in a packet
    aggregate_wait_us: int  # longest wait for that many
    length_bytes: int  # of each message, where packets carry several
    buffer_bytes: int
    queue: int

    to_bad: int  # Gilbert-Elliott thresholds a packet; Bernoulli: to_bad = 0 and loss_good
    to_good: int
    loss_good: int
    loss_bad: int
    retries: int
    retry_wait_us: int  # from the end of a lost packet until its camera knows
    backoff_us: int  # ALOHA: a retry waits up to this, at random, on top
    rest_ppm: int  # duty cycle: after a packet its camera rests for airtime * rest_ppm / 10^6
    outage_from_us_O: np.ndarray
    outage_to_us_O: np.ndarray
