"""The alarm without labels."""

from math import exp

import numpy as np
import pytest

from fleet_sim.serving.alarm import CHARTS, first_alarms, limit
from fleet_sim.serving.alarm_spec import BitsAlarmSpec
from fleet_sim.serving.watched import WATCHED


def spec(**fields: int) -> BitsAlarmSpec:
    return BitsAlarmSpec(kind="bits", **fields)


def windows(
    rng: np.random.Generator, count: int, frames: int, mean: float = 0.0, escape: float = 0.001
) -> np.ndarray:
    """(W, Q): windows of frames whose excess is normal about `mean` with a deviation of 5 bits."""
    excess_WF = np.rint(100 * rng.normal(mean, 5, (count, frames))).astype(np.int64)
    escaped_W = rng.binomial(frames, escape, count)
    columns = [np.full(count, frames), np.zeros(count), excess_WF.sum(axis=1), (excess_WF**2).sum(axis=1)]
    watched_WQ = np.stack([*columns, escaped_W], axis=1).astype(np.int64)
    assert watched_WQ.shape[1] == len(WATCHED)
    return watched_WQ


def test_the_limit_is_that_of_siegmunds_run_length() -> None:
    x = limit(1000) + 1.166
    assert 2 * (exp(x) - 1 - x) == pytest.approx(1000)
    assert limit(930) == pytest.approx(5.0, abs=0.1)  # known: a limit of 5 with slack 1/2 gives about 930


def test_false_alarms_come_as_seldom_as_asked() -> None:
    rng = np.random.default_rng(1)
    wanted, runs, length = 200, 400, 120
    alarmed = 0
    for _ in range(runs):
        found = first_alarms(windows(rng, length, 50, escape=0.02), spec(false_alarm_windows=wanted))
        alarmed += any(place is not None for place in found.values())
    expected = 1 - exp(-length / wanted)
    assert alarmed / runs < expected + 0.08
    assert alarmed / runs > expected / 3


@pytest.mark.parametrize(
    ("change", "chart"),
    [({"mean": 1.0}, "more_bits"), ({"mean": -1.0}, "fewer_bits"), ({"escape": 0.02}, "escapes")],
)
def test_a_change_is_found_soon_by_its_own_chart(change: dict[str, float], chart: str) -> None:
    rng = np.random.default_rng(2)
    watched_WQ = np.concatenate([windows(rng, 20, 500), windows(rng, 20, 500, **change)])
    found = first_alarms(watched_WQ, spec())
    place = found.pop(chart)
    assert place is not None
    assert 20 <= place <= 28
    assert set(found.values()) == {None}


def test_nothing_alarms_before_it_has_learned_and_empty_windows_say_nothing() -> None:
    rng = np.random.default_rng(3)
    nothing = np.zeros((5, len(WATCHED)), np.int64)
    jump = [windows(rng, 4, 500), nothing, windows(rng, 1, 500, mean=50.0), nothing]
    found = first_alarms(np.concatenate(jump), spec(learn_windows=5))
    assert found == dict.fromkeys(CHARTS)
    assert first_alarms(np.concatenate(jump), spec(learn_windows=4))["more_bits"] is None  # one score of 8
    assert first_alarms(nothing, spec()) == dict.fromkeys(CHARTS)


def test_constant_bits_that_change_are_a_change() -> None:
    row = [100, 0, 0, 0, 0]
    watched_WQ = np.array([row] * 5 + [[100, 0, 500, 2500, 0]] * 5, np.int64)
    assert first_alarms(watched_WQ, spec())["more_bits"] is not None
