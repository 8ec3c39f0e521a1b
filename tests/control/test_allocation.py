"""Hulls and allocations: against brute force, by their promises, and where the answer is known on paper."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.control.allocation import MARGINAL, MAX_MIN, Sharers, allocate
from fleet_sim.control.hull import Hulls, hulls_of, level_within
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


@given(LADDERS, st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 30)), min_size=1, max_size=5))
def test_a_camera_spends_what_it_may_however_often_that_changes(
    ladder: Ladder, plans: list[tuple[int, int]]
) -> None:
    hull = hulls(ladder)
    bits_of = {SKIP: 0} | dict(zip(hull.level_VGH[0, 0].tolist(), hull.bits_VGH[0, 0].tolist(), strict=True))
    bits_of[SKIP] = 0
    top, saved, behind = max(bits_of.values()), 0, 0
    for plan_bits, frames in plans:
        for _ in range(frames):
            level, saved = level_within(hull, 0, 0, plan_bits, saved)
            behind += min(plan_bits, top) - bits_of[level]
            assert bits_of[level] <= plan_bits + top
            assert behind <= top * len(plans)  # what was saved may be lost where a plan jumps, no more
        assert 0 <= saved <= top
    saved, spent = 0, 0
    for _ in range(100):
        level, saved = level_within(hull, 0, 0, plans[0][0], saved)
        spent += bits_of[level]
    assert 0 <= 100 * min(plans[0][0], top) - spent <= top


def test_a_camera_without_room_for_anything_sends_nothing_at_first() -> None:
    hull = hulls(([80, 90], [0.4, 0.8]))
    assert level_within(hull, 0, 0, -500, 0) == (SKIP, 0)
    assert level_within(hull, 0, 0, 30, 0) == (SKIP, 30)
    assert level_within(hull, 0, 0, 30, 60) == (1, 0)
    assert level_within(hull, 0, 0, 95, 60) == (1, 0)


def sharers(cameras: list[int], periods_us: list[int], importance: list[int], air: list[float]) -> Sharers:
    whole = (np.array(values, np.int64) for values in (cameras, periods_us, importance))
    return Sharers(*whole, np.array(air))


def allocated(kind: int, hull: Hulls, of: Sharers, air_bps: float, floor: float = 0.0) -> list[int]:
    plan_bits_G = np.zeros(len(of.cameras_G), np.int64)
    allocate(kind, hull, 0, of, air_bps, floor, plan_bits_G)
    return plan_bits_G.tolist()


def test_what_some_have_no_use_for_goes_to_others() -> None:
    hull = hulls(([100, 200], [0.5, 0.6]), ([100, 2000], [0.5, 0.9]))
    # 10 cameras of 200 bit/s at most, 5 that would like 1000 each, on 5000 bit/s: the ten leave 1333 of their
    # 3333.
    cells = sharers([10, 5], [SECOND_US, 2 * SECOND_US], [1, 1], [1.0, 1.0])
    assert allocated(MAX_MIN, hull, cells, 5000.0) == [200, 2 * 600]
    # At half the rate a bit takes two on air.
    slow = cells._replace(air_G=np.array([1.0, 2.0]))
    assert allocated(MAX_MIN, hull, slow, 5000.0) == [200, 2 * 300]


def test_bits_go_where_they_gain_most_and_everybody_has_its_floor() -> None:
    hull = hulls(([100, 200], [0.6, 0.7]), ([100, 200], [0.3, 0.5]))
    alike = sharers([1, 1], [SECOND_US] * 2, [1, 1], [1.0, 1.0])
    # Per 100 bits: 0.6 and 0.1 for the first, 0.3 and 0.2 for the second.
    assert allocated(MARGINAL, hull, alike, 100.0) == [100, 0]
    assert allocated(MARGINAL, hull, alike, 250.0) == [100, 150]
    assert allocated(MARGINAL, hull, alike, 300.0) == [100, 200]
    assert allocated(MARGINAL, hull, alike, 100.0, floor=0.5) == [75, 25]
    assert allocated(MARGINAL, hull, alike._replace(importance_G=np.array([1, 3])), 100.0) == [0, 100]
    assert allocated(MARGINAL, hull, alike._replace(air_G=np.array([3.0, 1.0])), 100.0) == [0, 100]


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
    of = sharers(each(st.integers(1, 5)), periods_us, each(st.integers(1, 4)), air)
    return hulls(*ladders), of, draw(st.floats(10, 5000))


def a_bit_bps(of: Sharers) -> np.ndarray:
    each: np.ndarray = of.cameras_G * of.air_G * SECOND_US / of.frame_period_us_G
    return each


@given(cells(), st.sampled_from([MAX_MIN, MARGINAL]), st.floats(0, 1))
def test_no_more_is_given_than_there_is_and_all_of_it_if_it_is_wanted(
    cell: tuple[Hulls, Sharers, float], kind: int, floor: float
) -> None:
    hull, of, air_bps = cell
    given_G = np.array(allocated(kind, hull, of, air_bps, floor))
    top_G = hull.bits_VGH[0].max(axis=1)
    used_bps = float((given_G * a_bit_bps(of)).sum())
    assert used_bps <= air_bps * (1 + 1e-9)
    assert (given_G <= top_G).all()
    if (given_G < top_G).any() and kind == MAX_MIN:
        assert used_bps >= air_bps - a_bit_bps(of).sum() - 1e-6  # less what was rounded down
    if kind == MARGINAL:
        part_G = air_bps / of.cameras_G.sum() / (a_bit_bps(of) / of.cameras_G)
        assert (given_G >= np.floor(np.minimum(floor * part_G, top_G) * (1 - 1e-9))).all()


@given(cells())
def test_without_a_floor_no_other_allocation_gains_more(cell: tuple[Hulls, Sharers, float]) -> None:
    hull, of, air_bps = cell
    each_s = of.importance_G * of.cameras_G * SECOND_US / of.frame_period_us_G

    def gain(bits: list[float]) -> float:
        return sum(float(each_s[g]) * mean_right(hull, g, bits[g]) for g in range(len(bits)))

    found = gain([float(bits) for bits in allocated(MARGINAL, hull, of, air_bps)])
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
    # Plans are rounded down to whole bits, each worth at most what the first ones are.
    steepest = each_s * hull.right_VGH[0, :, 1] / np.maximum(hull.bits_VGH[0, :, 1], 1)
    assert best - steepest.sum() - 1e-9 <= found <= best + 1e-9
