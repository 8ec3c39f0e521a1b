"""Hulls and allocations: against brute force, by their promises, and where the answer is known on paper."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.control.allocation import MARGINAL, MAX_MIN, Sharers, allocate
from fleet_sim.control.hull import MILLI, Hulls, hulls_of, level_within
from fleet_sim.control.observation import SKIP

SECOND_US = 1_000_000
LADDERS = st.lists(st.tuples(st.integers(1, 400), st.floats(0, 1)), min_size=1, max_size=5).map(
    lambda levels: (
        [sum(bits for bits, _ in levels[: k + 1]) for k in range(len(levels))],
        [r for _, r in levels],
    )
)
Ladder = tuple[list[int], list[float]]


def hulls(*ladders: Ladder) -> Hulls:
    """Of one version and as many groups as there are ladders, of equal length."""
    bits_VGL = np.array([[bits for bits, _ in ladders]], np.int64)
    return hulls_of(bits_VGL, np.array([[right for _, right in ladders]]))


def mean_right(hull: Hulls, group: int, bits: float) -> float:
    corners = int(hull.corners_VG[0, group])
    return float(np.interp(bits, hull.bits_VGH[0, group, :corners], hull.right_VGH[0, group, :corners]))


@given(LADDERS, st.floats(0, 1))
def test_no_mix_of_two_levels_or_none_is_above_the_hull(ladder: Ladder, share: float) -> None:
    hull = hulls(ladder)
    points = [(0, 0.0), *zip(*ladder, strict=True)]
    for (bits, right), (other_bits, other_right) in product(points, points):
        mixed = share * right + (1 - share) * other_right
        assert mixed <= mean_right(hull, 0, share * bits + (1 - share) * other_bits) + 1e-9


def test_a_hull_written_out() -> None:
    # 80 bits for 34 % are not worth sending beside 90 for 72 %; 100 bits give no more than 90.
    hull = hulls(([80, 90, 100, 120], [0.34, 0.72, 0.71, 0.75]))
    assert hull.level_VGH[0, 0, : hull.corners_VG[0, 0]].tolist() == [SKIP, 1, 3]


@given(LADDERS, st.lists(st.integers(0, 3_000_000), min_size=1, max_size=5), st.floats(0.5, 2))
def test_a_camera_spends_what_it_may_whatever_its_frames_take(
    ladder: Ladder, plans_millibits: list[int], takes: float
) -> None:
    hull = hulls(ladder)
    bits_of = dict(zip(hull.level_VGH[0, 0].tolist(), hull.bits_VGH[0, 0].tolist(), strict=True))
    bits_of[SKIP] = 0
    corners, account = sorted(bits_of.values()), 0
    for frame in range(200):
        plan = plans_millibits[frame * len(plans_millibits) // 200]
        account += int(takes * plan)
        level = level_within(hull, 0, 0, plan, account)
        account -= int(takes * MILLI * bits_of[level])
        assert account >= -takes * MILLI * corners[-1]  # owes no more than one message took
        place = corners.index(bits_of[level])
        assert place == 0 or MILLI * corners[place - 1] <= plan
    if max(plans_millibits) < MILLI * corners[-1]:
        assert account <= MILLI * corners[-1] + takes * max(plans_millibits)


def test_a_camera_takes_what_it_can_pay_but_not_far_above_its_plan() -> None:
    hull = hulls(([80, 90, 120], [0.4, 0.8, 0.9]))  # corners: nothing, 90 bits, 120 bits
    assert level_within(hull, 0, 0, 30_000, 89_999) == SKIP
    assert level_within(hull, 0, 0, 30_000, 90_000) == 1
    assert level_within(hull, 0, 0, 30_000, 500_000) == 1  # what it saved is not for one dear frame
    assert level_within(hull, 0, 0, 90_000, 119_999) == 1
    assert level_within(hull, 0, 0, 90_000, 120_000) == 2
    assert level_within(hull, 0, 0, 90_000, 0) == 1  # a frame dearer than expected is no reason to skip one
    assert level_within(hull, 0, 0, 90_000, -1) == SKIP  # it owes


def sharers(
    hull: Hulls, cameras: list[int], periods_us: list[int], importance: list[int], air: list[float]
) -> Sharers:
    """As many kinds of cameras as `hull` has groups."""
    whole = (np.array(values, np.int64) for values in (cameras, periods_us, importance))
    return Sharers(*whole, np.array(air), hull.corners_VG[0], hull.bits_VGH[0], hull.right_VGH[0])


def allocated(kind: int, of: Sharers, air_bps: float, floor: float = 0.0) -> list[float]:
    bits_S = np.zeros(len(of.cameras_S))
    allocate(kind, of, air_bps, floor, bits_S)
    return bits_S.tolist()


def test_what_some_have_no_use_for_goes_to_others() -> None:
    hull = hulls(([100, 200], [0.5, 0.6]), ([100, 2000], [0.5, 0.9]))
    # 10 cameras of 200 bit/s at most, 5 that would like 1000 each, on 5000 bit/s: the ten leave 1333 of their
    # 3333.
    cells = sharers(hull, [10, 5], [SECOND_US, 2 * SECOND_US], [1, 1], [1.0, 1.0])
    assert allocated(MAX_MIN, cells, 5000.0) == pytest.approx([200, 2 * 600])
    # At half the rate a bit takes two on air.
    slow = cells._replace(air_S=np.array([1.0, 2.0]))
    assert allocated(MAX_MIN, slow, 5000.0) == pytest.approx([200, 2 * 300])


def test_bits_go_where_they_gain_most_and_everybody_has_its_floor() -> None:
    hull = hulls(([100, 200], [0.6, 0.7]), ([100, 200], [0.3, 0.5]))
    alike = sharers(hull, [1, 1], [SECOND_US] * 2, [1, 1], [1.0, 1.0])
    # Per 100 bits: 0.6 and 0.1 for the first, 0.3 and 0.2 for the second.
    assert allocated(MARGINAL, alike, 100.0) == pytest.approx([100, 0])
    assert allocated(MARGINAL, alike, 250.0) == pytest.approx([100, 150])
    assert allocated(MARGINAL, alike, 300.0) == pytest.approx([100, 200])
    assert allocated(MARGINAL, alike, 100.0, floor=0.5) == pytest.approx([75, 25])
    assert allocated(MARGINAL, alike._replace(importance_S=np.array([1, 3])), 100.0) == pytest.approx(
        [0, 100]
    )
    assert allocated(MARGINAL, alike._replace(air_S=np.array([3.0, 1.0])), 100.0) == pytest.approx([0, 100])


@st.composite
def cells(draw: st.DrawFn) -> tuple[Hulls, Sharers, float]:
    groups, levels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    ladders = []
    for _ in range(groups):
        steps = draw(st.lists(st.integers(1, 300), min_size=levels, max_size=levels))
        right = draw(st.lists(st.floats(0, 1), min_size=levels, max_size=levels))
        ladders.append((np.cumsum(steps).tolist(), right))

    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=groups, max_size=groups))

    periods_us = each(st.sampled_from([SECOND_US // 2, SECOND_US, 3 * SECOND_US]))
    air = each(st.sampled_from([0.9, 1.0, 2.0]))
    hull = hulls(*ladders)
    of = sharers(hull, each(st.integers(1, 5)), periods_us, each(st.integers(1, 4)), air)
    return hull, of, draw(st.floats(10, 5000))


def a_bit_bps(of: Sharers) -> np.ndarray:
    each: np.ndarray = of.cameras_S * of.air_S * SECOND_US / of.frame_period_us_S
    return each


@given(cells(), st.sampled_from([MAX_MIN, MARGINAL]), st.floats(0, 1))
def test_no_more_is_given_than_there_is_and_all_of_it_if_it_is_wanted(
    cell: tuple[Hulls, Sharers, float], kind: int, floor: float
) -> None:
    hull, of, air_bps = cell
    given_G = np.array(allocated(kind, of, air_bps, floor))
    top_G = hull.bits_VGH[0].max(axis=1)
    used_bps = float((given_G * a_bit_bps(of)).sum())
    assert used_bps <= air_bps * (1 + 1e-9)
    assert (given_G <= top_G * (1 + 1e-9)).all()
    if (given_G < top_G * (1 - 1e-9)).any() and kind == MAX_MIN:
        assert used_bps >= air_bps * (1 - 1e-9)
    if kind == MARGINAL:
        part_G = air_bps / of.cameras_S.sum() / (a_bit_bps(of) / of.cameras_S)
        assert (given_G >= np.minimum(floor * part_G, top_G) * (1 - 1e-9)).all()


@given(cells())
def test_without_a_floor_no_other_allocation_gains_more(cell: tuple[Hulls, Sharers, float]) -> None:
    hull, of, air_bps = cell
    each_s = of.importance_S * of.cameras_S * SECOND_US / of.frame_period_us_S

    def gain(bits: list[float]) -> float:
        return sum(float(each_s[g]) * mean_right(hull, g, bits[g]) for g in range(len(bits)))

    found = gain(allocated(MARGINAL, of, air_bps))
    # A linear programme's optimum: all groups at corners, but for one that takes the rest.
    corners = [hull.bits_VGH[0, g, : hull.corners_VG[0, g]].tolist() for g in range(len(each_s))]
    cost = a_bit_bps(of).tolist()
    best = 0.0
    for chosen in product(*corners):
        left_bps = air_bps - sum(bits * a_bit for bits, a_bit in zip(chosen, cost, strict=True))
        if left_bps < 0:
            continue
        for g, a_bit in enumerate(cost):
            best = max(best, gain([b + (left_bps / a_bit if i == g else 0.0) for i, b in enumerate(chosen)]))
    assert found == pytest.approx(best, rel=1e-9)
