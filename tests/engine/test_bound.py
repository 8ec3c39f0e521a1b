"""The oracle of a shared cell: against all choices, and as a bound on what a fleet really does."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.control.observation import SKIP
from fleet_sim.engine.bound import best_in_cell

FRAMES = st.integers(1, 3).flatmap(
    lambda levels: st.lists(
        st.lists(st.tuples(st.integers(1, 60), st.integers(0, 10_000)), min_size=levels, max_size=levels),
        min_size=1,
        max_size=4,
    )
)


@given(FRAMES, st.integers(0, 200))
def test_no_choice_of_levels_is_worth_more_and_its_own_fits(
    frames: list[list[tuple[int, int]]], capacity_bits: int
) -> None:
    table_FL2 = np.array(frames, np.int64)
    plan = best_in_cell(capacity_bits, table_FL2[..., 0].copy(), table_FL2[..., 1].copy())
    best, gaps = 0, [0]
    for levels in product(range(SKIP, table_FL2.shape[1]), repeat=len(frames)):
        chosen = [frame[level] for frame, level in zip(frames, levels, strict=True) if level != SKIP]
        if sum(bits for bits, _ in chosen) <= capacity_bits:
            best = max(best, sum(worth for _, worth in chosen))
        gaps += [worth for _, worth in chosen]
    assert plan.worth >= best - 1e-6
    assert plan.worth <= best + max(gaps) + 1e-6  # at most one step is taken in part
    own = [frame[level] for frame, level in zip(frames, plan.level_F, strict=True) if level != SKIP]
    assert sum(bits for bits, _ in own) <= capacity_bits
    assert sum(worth for _, worth in own) <= best


def test_equal_slopes_written_out() -> None:
    bits_FL = np.array([[10, 20], [10, 30]])
    worth_FL = np.array([[6000, 7000], [1000, 9000]])
    # The second frame's hull goes straight to level 1, for 300 a bit; the first has steps of 600 and 100.
    plan = best_in_cell(40, bits_FL, worth_FL)
    assert (plan.level_F.tolist(), plan.worth) == ([0, 1], 15_000)
    plan = best_in_cell(25, bits_FL, worth_FL)
    assert plan.level_F.tolist() == [0, SKIP]
    assert plan.worth == pytest.approx(6000 + 9000 * 15 / 30)
