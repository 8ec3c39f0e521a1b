"""The budget controller: exact plans, the highest level that fits, and nothing from the future."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.control.budget import budget_level, plan_bits

LADDERS = st.lists(st.integers(1, 10_000), min_size=1, max_size=8).map(sorted)
BITS = st.integers(0, 20_000)
BUDGETS_BPS = st.integers(100, 10**11)


def level_of(expected_bits_L: list[int], plan: int, backlog: int) -> int:
    return int(budget_level(np.array(expected_bits_L, np.int64), plan, backlog))


@given(LADDERS, BITS, BITS)
def test_the_highest_fitting_level_is_picked_or_else_the_lowest(
    ladder: list[int], plan: int, backlog: int
) -> None:
    fitting = [level for level, bits in enumerate(ladder) if bits + backlog <= plan]
    assert level_of(ladder, plan, backlog) == max(fitting, default=0)


@given(LADDERS, BITS, BITS, BITS)
def test_more_budget_never_lowers_and_more_backlog_never_raises_the_level(
    ladder: list[int], plan: int, backlog: int, more: int
) -> None:
    level = level_of(ladder, plan, backlog)
    assert level_of(ladder, plan + more, backlog) >= level
    assert level_of(ladder, plan, backlog + more) <= level


@given(LADDERS, st.lists(st.tuples(BITS, BITS), min_size=1, max_size=20))
def test_a_decision_depends_on_nothing_but_what_is_seen(
    ladder: list[int], seen: list[tuple[int, int]]
) -> None:
    forwards = [level_of(ladder, plan, backlog) for plan, backlog in seen]
    backwards = [level_of(ladder, plan, backlog) for plan, backlog in reversed(seen)]
    assert forwards == backwards[::-1]


@given(BUDGETS_BPS, st.integers(1, 10**8), st.integers(1000, 10**11), st.integers(1, 10**6))
def test_a_plan_is_the_exact_share_rounded_down(
    budget_bps: int, cameras: int, period_us: int, headroom_ppm: int
) -> None:
    exact = Fraction(budget_bps, cameras) * Fraction(period_us, 10**6) * Fraction(headroom_ppm, 10**6)
    assert plan_bits(budget_bps, cameras, period_us, headroom_ppm) == floor(exact)


@given(BUDGETS_BPS, st.integers(1, 1000), st.integers(1000, 10**9), st.integers(1, 10**9))
def test_a_plan_grows_with_budget_and_period_and_falls_with_cameras(
    budget_bps: int, cameras: int, period_us: int, more: int
) -> None:
    plan = plan_bits(budget_bps, cameras, period_us, 950_000)
    assert plan_bits(budget_bps + more, cameras, period_us, 950_000) >= plan
    assert plan_bits(budget_bps, cameras, period_us + more, 950_000) >= plan
    assert plan_bits(budget_bps, cameras + more, period_us, 950_000) <= plan
    assert cameras * plan * 10**6 <= budget_bps * period_us  # all plans together fit in the budget


@pytest.mark.parametrize(
    ("plan", "backlog", "level"),
    [(99, 0, 0), (100, 0, 0), (199, 0, 0), (200, 0, 1), (300, 0, 2), (300, 1, 1)],
)
def test_levels_written_out(plan: int, backlog: int, level: int) -> None:
    assert level_of([100, 200, 300], plan, backlog) == level


def test_a_plan_written_out() -> None:
    # 20 kbit/s over 10 cameras at 2 frames a second: 1000 bits a frame, of which 95 % may be planned with.
    assert plan_bits(20_000, 10, 500_000, 950_000) == 950
