import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fleet_sim.basics.statistics import half_width, holm, p_value, standard_error

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12).filter(lambda v: np.std(v) > 1e-6)


@given(VALUES)
def test_intervals_and_p_values_are_those_of_scipy(values: list[float]) -> None:
    error = standard_error(values)
    half = half_width(values)
    assert error is not None
    assert half is not None
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert half == pytest.approx((high - low) / 2, rel=1e-9)
    theirs = stats.ttest_1samp(values, 0).pvalue
    assert p_value(float(np.mean(values)), error, len(values) - 1) == pytest.approx(
        theirs, rel=1e-6, abs=1e-12
    )


def test_one_value_has_no_interval() -> None:
    assert half_width([3.0]) is None


def test_without_spread_a_difference_is_certain_or_none() -> None:
    assert p_value(0.0, 0.0, 4) == 1.0
    assert p_value(1e-9, 0.0, 4) == 0.0


def test_holm_by_hand() -> None:
    # 0.05 / 4 = 0.0125, then 0.05 / 3 = 0.0167, then 0.05 / 2 = 0.025 stops it.
    assert holm([0.03, 0.01, 0.04, 0.015]) == [False, True, False, True]
    assert holm([]) == []


def test_holm_keeps_the_rate_of_false_alarms() -> None:
    p_TM = np.random.default_rng(3).random((2000, 20))
    alarms = sum(any(holm(p_M.tolist())) for p_M in p_TM)
    assert alarms / 2000 == pytest.approx(0.05, abs=0.02)
