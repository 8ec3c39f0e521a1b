"""Links that vary over time, and what they carry, microsecond by microsecond."""

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from network.plain import PLAIN

from fleet_sim.basics.hashing import STREAM_CAPACITY, draw
from fleet_sim.network.capacity import lap_offset_us
from fleet_sim.network.link import CERTAIN, MARKOV, SEGMENTS, Link

SEED = 3
Work = Callable[[int], int]  # done in the microsecond from this one on, or at this very moment


@st.composite
def segments(draw: st.DrawFn) -> Link:
    """Links with rates and opportunities, small enough to count by the microsecond."""
    lap_us = draw(st.integers(1, 40))
    at_us = [0, *sorted(draw(st.sets(st.integers(1, lap_us - 1), max_size=5)))] if lap_us > 1 else [0]
    some = st.lists(st.sampled_from([0, 0, 1, 3, 10]), min_size=len(at_us), max_size=len(at_us))
    rates, bursts = draw(some), draw(some)
    if not any(rates) and not any(bursts):
        bursts[-1] = 5
    return PLAIN._replace(
        capacity=SEGMENTS,
        at_us_S=np.array(at_us),
        bps_S=np.array(rates),
        burst_work_S=np.array(bursts),
        lap_us=lap_us,
        offset_us=draw(st.sampled_from([1, lap_us])),
    )


def by_the_microsecond(link: Link, cell: int) -> tuple[Work, Work]:
    """What SEGMENTS carry in each microsecond and at each moment, in a cell's own time."""
    offset_us, at_us = int(lap_offset_us(link, SEED, cell)), link.at_us_S.tolist()

    def rate_at(now_us: int) -> int:
        return int(link.bps_S[bisect_right(at_us, (now_us + offset_us) % link.lap_us) - 1])

    def burst_at(now_us: int) -> int:
        within_us = (now_us + offset_us) % link.lap_us
        return int(link.burst_work_S[at_us.index(within_us)]) if within_us in at_us else 0

    return rate_at, burst_at


TWO_STATES = PLAIN._replace(
    capacity=MARKOV,
    bps_S=np.array([0, 6]),
    slot_us=5,
    first_S=np.array([CERTAIN // 4, CERTAIN]),
    next_SS=np.array([[CERTAIN * 7 // 10, CERTAIN], [CERTAIN // 10, CERTAIN]]),
)


def states_of(link: Link, cell: int, slots: int) -> list[int]:
    """The states of a Markov link in its first slots, from the draws themselves."""
    states, thresholds = [], link.first_S
    for slot in range(slots):
        toss = int(draw(SEED, STREAM_CAPACITY, cell, slot)) >> 32
        states.append(bisect_right(thresholds.tolist(), toss))
        thresholds = link.next_SS[states[-1]]
    return states
