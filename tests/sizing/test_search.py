import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.sizing.search import TOLERANCE, Crossing, NoCrossing, crossing


def falling(threshold: float):  # type: ignore[no-untyped-def]
    """A margin that larger values worsen, the same for all seeds."""
    return lambda value, seed: math.log(threshold / value)


@given(st.floats(200, 30_000))
def test_the_last_value_that_keeps_the_target_is_found(threshold: float) -> None:
    found = crossing(falling(threshold), 1000, 1, 10**8, seeds=3, larger_is_better=False)
    assert isinstance(found, Crossing)
    assert found.value <= threshold
    assert found.value == pytest.approx(threshold, rel=2 * TOLERANCE, abs=1)
    assert found.low <= threshold <= found.high
    assert found.simulations <= 30


@given(st.floats(200, 30_000))
def test_so_is_the_first_where_more_is_better(threshold: float) -> None:
    found = crossing(lambda value, _: math.log(value / threshold), 1000, 1, 10**8, 3, larger_is_better=True)
    assert isinstance(found, Crossing)
    assert found.value >= threshold
    assert found.low <= threshold <= found.high


def test_the_interval_is_that_of_the_seeds() -> None:
    thresholds = (900.0, 1000.0, 1100.0)
    found = crossing(
        lambda value, seed: math.log(thresholds[seed] / value), 1000, 1, 10**8, 3, larger_is_better=False
    )
    assert isinstance(found, Crossing)
    assert found.by_seed == pytest.approx(thresholds, rel=TOLERANCE)
    # On a logarithmic scale the spread is 0.1004, with 2 degrees of freedom t = 4.303.
    assert found.high / found.value == pytest.approx(math.exp(4.303 * 0.1004 / 3**0.5), rel=0.03)


def test_a_jump_is_found_like_a_slope() -> None:
    found = crossing(
        lambda value, _: 0.5 if value <= 777 else -0.1, 1000, 1, 10**8, 2, larger_is_better=False
    )
    assert isinstance(found, Crossing)
    assert 777 * (1 - TOLERANCE) <= found.value <= 777


@pytest.mark.parametrize(("margin", "kept"), [(1.0, True), (-1.0, False)])
@pytest.mark.parametrize("larger_is_better", [True, False])
def test_no_crossing_within_reach_is_said(margin: float, kept: bool, larger_is_better: bool) -> None:
    found = crossing(lambda *_: margin, 1000, 50, 10**8, 3, larger_is_better)
    assert found == NoCrossing(kept, 50, 64_000)


def test_no_simulation_is_done_twice() -> None:
    asked: list[tuple[int, int]] = []

    def margin(value: int, seed: int) -> float:
        asked.append((value, seed))
        return 300 - value

    crossing(margin, 1000, 1, 10**8, 4, larger_is_better=False)
    assert len(asked) == len(set(asked))
