"""A release goes out in waves by the clock, waits for its guard at the canary, and goes back when it must."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.registry.guard import GuardRule
from fleet_sim.registry.rollout import Change, Heard, Release, RolloutRule

WAVES_PPM = (50_000, 200_000, 1_000_000)
CLOCK = RolloutRule(WAVES_PPM, wave_us=100)
GUARDED = RolloutRule(WAVES_PPM, wave_us=100, guard=GuardRule())


def log_of(release: Release) -> list[tuple[int, str, int]]:
    return [(event.at_us, event.change.name, event.share_ppm) for event in release.log]


def test_without_a_guard_waves_follow_by_the_clock() -> None:
    release = Release(CLOCK, begin_us=30)
    for now_us in range(60, 500, 30):  # a boundary every 30
        release.step(now_us)
    assert log_of(release) == [
        (30, "BEGUN", 50_000),
        (150, "WAVE", 200_000),
        (270, "WAVE", 1_000_000),
        (300, "THROUGH", 1_000_000),
    ]


def test_it_need_not_be_asked_before_it_says() -> None:
    release, now_us = Release(CLOCK, begin_us=0), 0
    while (then_us := release.next_us(now_us)) is not None:
        now_us = then_us
        release.step(now_us)
    assert log_of(release) == [
        (0, "BEGUN", 50_000),
        (100, "WAVE", 200_000),
        (200, "WAVE", 1_000_000),
        (201, "THROUGH", 1_000_000),
    ]
    assert Release(GUARDED, begin_us=0).next_us(0) == 1


def test_without_a_verdict_the_canary_goes_on_after_as_long_again() -> None:
    release = Release(GUARDED, begin_us=0)
    for now_us in range(10, 1000, 10):
        release.step(now_us)
    unguarded_us = 100 * (len(WAVES_PPM) - 1)
    assert log_of(release)[1] == (100 + unguarded_us, "WAVE", 200_000)
    assert log_of(release)[2] == (2 * unguarded_us, "WAVE", 1_000_000)


def test_a_verdict_lets_the_canary_go_on_at_the_end_of_its_wave() -> None:
    release = Release(GUARDED, begin_us=0)
    release.step(50, Heard(2000, 1900, 2000, 1800))
    assert log_of(release) == [(0, "BEGUN", 50_000)]
    release.step(100, Heard(2000, 1900, 2000, 1800))
    assert log_of(release)[1:] == [(100, "WAVE", 200_000)]


def test_a_worse_release_goes_back_and_nothing_follows() -> None:
    release = Release(GUARDED, begin_us=0)
    release.step(50, Heard(300, 150, 300, 270))
    assert release.taken_back
    assert release.share_ppm == 0
    release.step(500, Heard(300, 300, 300, 0))
    assert log_of(release) == [(0, "BEGUN", 50_000), (50, "BACK_WORSE", 50_000)]
    assert release.next_us(500) is None


def test_it_can_be_taken_back_after_it_was_let_on() -> None:
    release = Release(GUARDED, begin_us=0)
    release.step(100, Heard(2000, 1900, 2000, 1800))
    release.step(150, Heard(6000, 4000, 6000, 5400))
    assert log_of(release)[1:] == [(100, "WAVE", 200_000), (150, "BACK_WORSE", 200_000)]


def test_cumulative_labels_bet_as_their_steps_do() -> None:
    """Told at every boundary or only where the canary has labels: the same capital, so the same verdict."""
    draws = np.random.default_rng(1)
    often, seldom = Release(GUARDED, 0), Release(GUARDED, 0)
    told = np.zeros(4, np.int64)
    for now_us in range(1, 90):
        canary = int(draws.integers(0, 2)) * 5
        told += np.array([canary, draws.binomial(canary, 0.7), 20, draws.binomial(20, 0.9)])
        often.step(now_us, Heard(*told.tolist()))
        if canary:
            seldom.step(now_us, Heard(*told.tolist()))
    assert log_of(often) == log_of(seldom)
    assert often.taken_back


@pytest.mark.parametrize(("failed", "taken_back"), [(5, False), (6, True)])
def test_too_many_failed_installs_take_it_back(failed: int, taken_back: bool) -> None:
    release = Release(RolloutRule(WAVES_PPM, 100, most_failed=0.05), begin_us=0)
    release.step(10, Heard(wanted=100, failed=failed, reached=False))
    assert release.taken_back == taken_back
    assert release.log[-1].change == (Change.BACK_FAILED if taken_back else Change.BEGUN)


def test_a_wave_waits_until_its_cameras_are_reached() -> None:
    release = Release(CLOCK, begin_us=0)
    for now_us in range(100, 1000, 100):
        release.step(now_us, Heard(reached=now_us % 300 == 0))
    assert [at_us for at_us, *_ in log_of(release)] == [0, 300, 600, 900]


@given(
    st.lists(st.tuples(st.integers(1, 80), st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=60)
)
def test_shares_rise_until_the_end_whatever_is_heard(steps: list[tuple[int, int, int, bool]]) -> None:
    release, now_us, heard = Release(GUARDED, 0), 0, Heard()
    shares = [release.share_ppm]
    for took_us, canary, right, reached in steps:
        now_us += took_us
        heard = Heard(
            heard.canary + canary,
            heard.canary_right + min(canary, right),
            heard.control + 10,
            heard.control_right + 9,
            reached=reached,
        )
        ended_with = list(release.log) if release.ended else None
        release.step(now_us, heard)
        shares.append(release.share_ppm)
        assert ended_with in (None, release.log)
    rising = shares[: shares.index(0)] if release.taken_back else shares
    assert rising == sorted(rising)
    assert [event.change for event in release.log[1:-1]] == [Change.WAVE] * len(release.log[1:-1])
