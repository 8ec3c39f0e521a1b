"""Who is served how much: the claims of max-min fairness and of self-clocked fair queueing."""

from fractions import Fraction
from itertools import combinations, cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.cell import Cell, Out, bits_by_camera
from network.plain import HEADER_BYTES, HORIZON_US, PLAIN

from fleet_sim.network.link import MAX_MIN, ROUND_ROBIN, Link


class Backlogged(Cell):
    """A cell whose cameras always have messages waiting, of sizes taken in turn from their lists."""

    def __init__(self, link: Link, sizes_R: dict[int, list[int]]):
        super().__init__(1 + max(sizes_R), link)
        self._sizes_R = {camera: cycle(sizes) for camera, sizes in sizes_R.items()}
        for camera in 3 * list(sizes_R):
            self.offer(0, camera, next(self._sizes_R[camera]))

    def send_one(self) -> Out:
        sent = super().send_one()
        if sent.camera in self._sizes_R:
            self.offer(sent.end_us, sent.camera, next(self._sizes_R[sent.camera]))
        return sent


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=5), min_size=2, max_size=4),
    st.sampled_from([997, 8000, 10**6]),
)
@pytest.mark.parametrize("sharing", [MAX_MIN, ROUND_ROBIN])
def test_waiting_cameras_differ_by_at_most_a_packet_each_over_any_time(
    sharing: int, sizes_R: list[list[int]], bps: int
) -> None:
    cameras = len(sizes_R)
    cell = Backlogged(PLAIN._replace(sharing=sharing, bps=bps), dict(enumerate(sizes_R)))
    served_MR = np.zeros((121, cameras), np.int64)
    for m in range(1, 121):
        sent = cell.send_one()
        served_MR[m] = served_MR[m - 1]
        served_MR[m, sent.camera] += sent.bits if sharing == MAX_MIN else 1
    largest_R = [8 * (max(sizes) + HEADER_BYTES) if sharing == MAX_MIN else 1 for sizes in sizes_R]
    for one, two in combinations(range(cameras), 2):
        ahead_M = served_MR[:, one] - served_MR[:, two]
        # The widest gap between two prefixes is the most by which any stretch of time can differ.
        assert ahead_M.max() - ahead_M.min() <= largest_R[one] + largest_R[two]


def water_level(demand_R: list[int], amount: int) -> Fraction:
    """The level up to which `amount` fills all demands, by filling the least first."""
    level = Fraction(0)
    for place, demand in enumerate(sorted(demand_R)):
        cameras = len(demand_R) - place
        step = min(demand - level, Fraction(amount, cameras))
        level, amount = level + step, amount - step * cameras
    return level


@pytest.mark.parametrize("sharing", [MAX_MIN, ROUND_ROBIN])
@given(st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=12), min_size=1, max_size=6))
def test_what_waits_is_served_max_min_fair_within_a_packet(sharing: int, sizes_R: list[list[int]]) -> None:
    cell = Cell(len(sizes_R) + 1, PLAIN._replace(sharing=sharing))
    cell.offer(0, len(sizes_R), 200)  # while this one is on the air the others line up
    cost_R = [[8 * (s + HEADER_BYTES) if sharing == MAX_MIN else 1 for s in sizes] for sizes in sizes_R]
    for camera, sizes in enumerate(sizes_R):
        for frame, size in enumerate(sizes):
            cell.offer(0, camera, size, frame)
    cell.advance(HORIZON_US)
    served_R, demand_R = [0] * len(sizes_R), [sum(costs) for costs in cost_R]
    for message in cell.out[1:]:
        served_R[message.camera] += cost_R[message.camera][message.frame]
        level = water_level(demand_R, sum(served_R))
        for served, demand in zip(served_R, demand_R, strict=True):
            assert abs(served - min(demand, level)) <= max(map(max, cost_R))
    assert served_R == demand_R


def test_rates_fill_like_water() -> None:
    # 10 kbit/s for demands of 1, 2, 8 and 8: who wants less than a share has it, the others split the rest.
    demand_bps, fair_bps = [1000, 2000, 8000, 8000], [1000, 2000, 3500, 3500]
    size, seconds = 115, 400
    bits = 8 * (size + HEADER_BYTES)
    cell = Cell(4, PLAIN._replace(bps=10_000, buffer_bytes=3 * bits // 8))
    offers = [
        (k * bits * 10**6 // rate + 7 * camera, camera)
        for camera, rate in enumerate(demand_bps)
        for k in range(rate * seconds // bits)
    ]
    refused_R = np.zeros(4, np.int64)
    for now_us, camera in sorted(offers):
        refused_R[camera] += not cell.offer(now_us, camera, size)
    got_R = bits_by_camera([message for message in cell.out if message.end_us <= seconds * 10**6], 4)
    assert refused_R[:2].tolist() == [0, 0]
    np.testing.assert_allclose(got_R, np.array(fair_bps) * seconds, atol=4 * bits)
    assert got_R.sum() >= 10_000 * seconds - 2 * bits  # the link never rests while a packet waits


@pytest.mark.parametrize("greedy", [1, 3, 7])
def test_a_modest_camera_waits_at_most_for_a_round_of_the_others(greedy: int) -> None:
    rng = np.random.default_rng(greedy)
    sizes_R = {camera: rng.integers(0, 300, 9).tolist() for camera in range(1, 1 + greedy)}
    bps, modest_size = 20_000, 20
    cell = Backlogged(PLAIN._replace(bps=bps), sizes_R)
    modest_bits = 8 * (modest_size + HEADER_BYTES)
    # Golestani's bound with nothing yet served to camera 0: each other camera gets a packet beyond its size.
    others_bits = sum(modest_bits + 8 * (max(sizes) + HEADER_BYTES) for sizes in sizes_R.values())
    for frame in range(1, 60):
        for _ in range(int(rng.integers(1, 9))):
            sent = cell.send_one()
        offered_us = int(rng.integers(sent.end_us, cell.end_us))
        assert cell.offer(offered_us, 0, modest_size, frame)
        while (sent := cell.send_one()).camera != 0:
            pass
        assert (sent.end_us - offered_us) * bps <= (others_bits + modest_bits) * 10**6 + bps


def test_a_camera_gains_nothing_by_having_rested() -> None:
    cell = Cell(2)
    for frame in range(20):
        cell.offer(0, 0, 90, frame)
    cell.advance(1_000_000)
    for frame in range(20):
        cell.offer(1_000_000, 1, 90, frame)
    cell.advance(2_000_000)
    turns = [message.camera for message in cell.out if message.end_us > 1_200_000]
    assert turns == [1, 0] * 4


def test_equal_claims_go_to_the_lower_camera() -> None:
    cell = Cell(5)
    for camera in (2, 4, 0, 3, 1):
        cell.offer(0, camera, 90)
    cell.advance(10**7)
    assert [message.camera for message in cell.out] == [2, 0, 1, 3, 4]  # 2 found the cell idle
