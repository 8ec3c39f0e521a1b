"""When frames are taken, against theory and against a model that looks at every microsecond."""

from bisect import bisect_right
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.plain import PLAIN

from fleet_sim.basics.hashing import STREAM_EVENT, STREAM_PHASE, STREAM_SPREAD, draw, draw_below
from fleet_sim.engine.captures import BURSTS, PERIODIC, POISSON, first_capture_us, next_capture_us
from fleet_sim.engine.fleet import Fleet

CELLS = 3
FLEET = Fleet(
    seed=11,
    cameras=30,
    cells=CELLS,
    duration_us=10**9,
    capture=PERIODIC,
    frame_period_us=1_000_000,
    burst_period_us=1,
    event_slot_us=1,
    event_threshold=0,
    event_us=1,
    spread_us=1,
    encode_us=0,
    message_header_bytes=0,
    deadline_us=10**9,
    fixed_level=0,
    observes=False,
    headroom_ppm=0,
    scenes=1,
    link=PLAIN,
)


def captures_us(fleet: Fleet, camera: int, until_us: int) -> list[int]:
    times, frame, time_us = [], 0, first_capture_us(fleet, camera)
    while time_us < until_us:
        times.append(int(time_us))
        time_us = next_capture_us(fleet, camera, frame, time_us)
        frame += 1
    return times


def furthest(sample: np.ndarray, cumulative: np.ndarray) -> float:
    """Kolmogorov's distance between a sorted sample and a distribution, times the root of n."""
    n = len(sample)
    above, below = np.arange(1, n + 1) / n - cumulative, cumulative - np.arange(n) / n
    return float(max(above.max(), below.max()) * n**0.5)


ONCE_IN_A_THOUSAND = 1.95  # Kolmogorov's distribution; the seed is fixed


def test_a_period_never_changes_and_phases_are_spread_evenly() -> None:
    phases_us = []
    for camera in range(3000):
        first_us, *_ = times = captures_us(FLEET, camera, 5_000_000)
        assert times == list(range(first_us, 5_000_000, 1_000_000))
        phases_us.append(first_us)
    assert 0 <= min(phases_us) <= max(phases_us) < 1_000_000
    assert furthest(np.sort(phases_us), np.sort(phases_us) / 1_000_000) < ONCE_IN_A_THOUSAND


def test_random_captures_have_exponential_gaps_that_do_not_know_each_other() -> None:
    fleet = FLEET._replace(capture=POISSON)
    gaps_RG = np.array([np.diff([0, *captures_us(fleet, camera, 10**9)[:200]]) for camera in range(40)])
    gaps = np.sort(gaps_RG.ravel())
    assert furthest(gaps, 1 - np.exp(-gaps / 1_000_000)) < ONCE_IN_A_THOUSAND
    for one, two in ((gaps_RG[:, :-1], gaps_RG[:, 1:]), (gaps_RG[:-1], gaps_RG[1:])):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 4 * one.size**-0.5


@pytest.mark.parametrize("period_us", [1, 3])
def test_no_two_frames_of_a_camera_share_a_microsecond(period_us: int) -> None:
    times = captures_us(FLEET._replace(capture=POISSON, frame_period_us=period_us), 0, 2000)
    assert min(after - before for before, after in pairwise(times)) == 1


BUSY = FLEET._replace(capture=BURSTS, event_threshold=2**32 // 8)


@st.composite
def bursts(draw: st.DrawFn) -> Fleet:
    period_us = draw(st.integers(1, 40))
    return BUSY._replace(
        seed=draw(st.integers(0, 2**32)),
        frame_period_us=period_us,
        burst_period_us=draw(st.integers(1, period_us)),
        event_slot_us=draw(st.integers(1, 20)),
        event_us=draw(st.integers(1, 60)),
        spread_us=draw(st.integers(1, 50)),
        event_threshold=draw(st.sampled_from([0, 2**32 // 16, 2**32 // 4, 2**32])),
    )


def begins_us(fleet: Fleet, cell: int, until_us: int) -> list[int]:
    """When events begin in a cell, from the draws themselves."""
    begins = []
    for slot in range(until_us // fleet.event_slot_us + 1):
        if int(draw(fleet.seed, STREAM_EVENT, cell, 2 * slot)) >> 32 < fleet.event_threshold:
            within_us = draw_below(fleet.seed, STREAM_EVENT, cell, 2 * slot + 1, fleet.event_slot_us)
            begins.append(slot * fleet.event_slot_us + int(within_us))
    return begins


@settings(max_examples=200)
@given(bursts(), st.integers(0, 29))
def test_a_camera_takes_a_frame_as_an_event_reaches_it_and_more_while_it_passes(
    fleet: Fleet, camera: int
) -> None:
    late_us = int(draw_below(fleet.seed, STREAM_SPREAD, camera, 0, fleet.spread_us))
    reaches_us = [begin_us + late_us for begin_us in begins_us(fleet, camera % CELLS, 300)]
    due_us = int(draw_below(fleet.seed, STREAM_PHASE, camera, 0, fleet.frame_period_us))
    expected = []
    for now_us in range(300):
        if now_us == due_us or now_us in reaches_us:
            expected.append(now_us)
            latest = bisect_right(reaches_us, now_us) - 1
            passes = latest >= 0 and now_us < reaches_us[latest] + fleet.event_us
            due_us = now_us + (fleet.burst_period_us if passes else fleet.frame_period_us)
    assert captures_us(fleet, camera, 300) == expected


def test_events_begin_as_often_as_asked_and_apart_in_each_cell() -> None:
    fleet = BUSY._replace(event_slot_us=1000, event_us=1, frame_period_us=10**6, burst_period_us=10**6)
    slots = 20_000
    by_cell = [set(captures_us(fleet, cell, 1000 * slots)) for cell in range(CELLS)]
    together = {time_us // 1000 for time_us in by_cell[0]} & {time_us // 1000 for time_us in by_cell[1]}
    for times in by_cell:
        assert abs(len(times) - slots / 8) < 4 * (slots * 7 / 64) ** 0.5
    assert abs(len(together) - slots / 64) < 4 * (slots * 63 / 64**2) ** 0.5
    within_us = np.sort([time_us % 1000 for time_us in by_cell[2]])
    assert furthest(within_us, (within_us + 0.5) / 1000) < ONCE_IN_A_THOUSAND
