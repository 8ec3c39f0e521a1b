"""All that links could have carried, against adding it up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.plain import PLAIN
from network.varying import SEED, TWO_STATES, by_the_microsecond, segments, states_of

from fleet_sim.network.capacity import capacity_bits
from fleet_sim.network.link import CERTAIN, MARKOV, SEGMENTS, TOKENS, WORK_A_BIT, Link

WEEK_US = 7 * 86_400_000_000
IN_BITS = TWO_STATES._replace(bps_S=TWO_STATES.bps_S * WORK_A_BIT)


def test_a_chain_dwells_as_its_rows_say() -> None:
    slots = 200_000
    bits = int(capacity_bits(IN_BITS, SEED, 1, 5 * slots))
    busy = bits / (6 * 5 * slots)
    # Stationary share 3/4; neighbours correlate by 0.6, so the variance of a mean is (1 + 0.6) / (1 - 0.6)
    # times what it is for independent slots.
    assert abs(busy - 0.75) < 4 * (4 * 0.75 * 0.25 / slots) ** 0.5


@settings(max_examples=60)
@given(segments(), st.integers(0, 200), st.integers(0, 3))
def test_capacity_is_all_that_could_be_carried(link: Link, duration_us: int, cells: int) -> None:
    link = link._replace(bps_S=link.bps_S * 300_007, burst_work_S=link.burst_work_S * 700_003)
    expected = 0
    for cell in range(cells):
        rate_at, burst_at = by_the_microsecond(link, cell)
        work = sum(rate_at(now_us) for now_us in range(duration_us))
        work += sum(burst_at(now_us) for now_us in range(1, duration_us))
        expected += work // WORK_A_BIT
    assert capacity_bits(link, SEED, cells, duration_us) == expected


@given(st.integers(0, 400), st.integers(1, 3))
def test_capacity_of_slots_ends_with_the_run(duration_us: int, cells: int) -> None:
    expected = 0
    for cell in range(cells):
        states = states_of(IN_BITS, cell, duration_us // 5 + 1)
        expected += sum(6 * states[now_us // 5] for now_us in range(duration_us))
    assert capacity_bits(IN_BITS, SEED, cells, duration_us) == expected


@pytest.mark.parametrize("bps", [10**9, 10**11])
def test_a_week_of_a_fast_link_is_counted_exactly(bps: int) -> None:
    one = {"bps_S": np.array([bps]), "budget_bps": bps, "bps": bps}
    links = [
        PLAIN._replace(**one),
        PLAIN._replace(**one, capacity=TOKENS, bucket_bits=1234),
        PLAIN._replace(
            **one, capacity=SEGMENTS, at_us_S=np.array([0]), burst_work_S=np.array([0]), lap_us=WEEK_US
        ),
        PLAIN._replace(
            **one,
            capacity=MARKOV,
            slot_us=WEEK_US,
            first_S=np.array([CERTAIN]),
            next_SS=np.array([[CERTAIN]]),
        ),
    ]
    bits = [int(capacity_bits(link, SEED, 2, WEEK_US - 1)) for link in links]
    whole = bps * (WEEK_US - 1) // 10**6
    assert bits == [2 * whole, 2 * (whole + 1234), 2 * whole, 2 * whole]
