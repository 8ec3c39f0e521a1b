"""Who goes next: order of arrival, proportional fairness against fractions, outages, and turns kept."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.cell import SEED, Cell
from network.plain import HEADER_BYTES, HORIZON_US, PLAIN
from network.varying import TWO_STATES

from fleet_sim.basics.hashing import STREAM_FADING, draw_below
from fleet_sim.network.link import DROP_HEAD, DROP_TAIL, FIFO, PROPORTIONAL, WORK_A_BIT
from fleet_sim.network.queues import BUFFER, OUT, THROUGH
from fleet_sim.network.uplink import NEVER

IN_ORDER = PLAIN._replace(sharing=FIFO, queue=DROP_TAIL)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 4), st.integers(0, 90)), max_size=40))
def test_first_come_first_served_and_ties_to_the_lower_camera(offers: list[tuple[int, int, int]]) -> None:
    cell = Cell(5, IN_ORDER)
    for frame, (time, camera, size) in enumerate(sorted(offers)):
        cell.offer(time * 40_000, camera, size, frame)
    cell.advance(HORIZON_US)
    assert [message.frame for message in cell.out] == list(range(len(offers)))


def test_a_busy_cell_remembers_when_each_message_came() -> None:
    cell = Cell(3, IN_ORDER)
    cell.offer(0, 2, 90, 0)
    for frame, camera in enumerate([1, 0, 2, 0, 1], start=1):
        cell.offer(frame, camera, 90, frame)
    cell.advance(HORIZON_US)
    assert [message.frame for message in cell.out] == [0, 1, 2, 3, 4, 5]


FADING = PLAIN._replace(
    sharing=PROPORTIONAL,
    queue=DROP_TAIL,
    half_life_us=1_000_000,
    fading_us=250_000,
    fading_ppm_S=np.array([500_000, 1_500_000]),
)


def test_equal_rates_serve_who_was_served_least_and_forget_by_halves() -> None:
    steady = FADING._replace(fading_ppm_S=np.array([1_000_000]))
    cell = Cell(2, steady)
    for frame in range(4):
        cell.offer(0, 0, 90, frame)  # 0.1 s each
    cell.advance(400_000)  # camera 0 was served 3,200 bits
    for frame in range(20):
        cell.offer(900_000, 0, 90, frame)
        cell.offer(900_000, 1, 90, frame)
    cell.advance(1_700_000)
    # At 0.9 s camera 0 finds the cell idle: 4,000 bits. Halved at 1 s they are 2,000, two and a half packets
    # for the other; then 2,400 against 2,000, and so on in turn.
    order = [message.camera for message in cell.out if message.end_us > 900_000]
    assert order == [0, 1, 1, 1, 0, 1, 0, 1]


def share_ppm(camera: int, now_us: int) -> int:
    drawn = draw_below(SEED, STREAM_FADING, camera, now_us // FADING.fading_us, 2)
    return int(FADING.fading_ppm_S[drawn])


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 90), min_size=1, max_size=15), min_size=2, max_size=4))
def test_the_best_rate_for_what_was_served_goes_next(sizes_R: list[list[int]]) -> None:
    cell = Cell(len(sizes_R), FADING)
    for camera, sizes in enumerate(sizes_R):
        for frame, size in enumerate(sizes):
            cell.offer(0, camera, size, frame)
    cell.advance(HORIZON_US)
    left_R = [[8 * (size + HEADER_BYTES) for size in sizes] for sizes in sizes_R]
    served_R, halved, now_us, exact_us, camera = [0] * len(left_R), 0, 0, Fraction(0), 0
    for packet in cell.packets:
        assert packet.camera == camera
        bits = left_R[camera].pop(0)
        served_R[camera] += bits
        work = ceil(Fraction(bits * WORK_A_BIT * 10**6, share_ppm(camera, now_us)))
        exact_us += Fraction(work, FADING.bps)
        now_us = ceil(exact_us)
        assert packet.end_us == now_us
        for _ in range(now_us // FADING.half_life_us - halved):
            served_R, halved = [served // 2 for served in served_R], halved + 1
        ratio_R = [Fraction(share_ppm(row, now_us), 1 + served) for row, served in enumerate(served_R)]
        waiting = [row for row, left in enumerate(left_R) if left]
        camera = max(waiting, key=lambda row: (ratio_R[row], -row), default=0)
    assert not any(left_R)


def test_a_fast_cell_with_a_long_memory_is_as_fair() -> None:
    link = FADING._replace(bps=10**11, half_life_us=10**10, fading_us=10**10, mtu_bytes=65_536)
    cell = Cell(2, link._replace(fading_ppm_S=np.array([1_000_000])))
    cell.u.served["bits"] = [10**15 + 3 * 480_000, 10**15]  # each times a rate in ppm: more than 64 bits
    for frame in range(10):
        for camera in range(2):
            cell.offer(0, camera, 59_990, frame)  # 480,000 bits with the header
    cell.advance(HORIZON_US)
    # Camera 0 finds the cell idle, four packets ahead; then they are level, and so on in turn.
    assert [message.camera for message in cell.out] == [0, 1, 1, 1, 1, *6 * [0, 1], 0, 0, 0]


@pytest.mark.parametrize(("retries", "fates"), [(0, [OUT, THROUGH]), (1, [THROUGH, THROUGH])])
def test_an_outage_cuts_off_what_is_on_the_air_and_holds_up_the_rest(retries: int, fates: list[int]) -> None:
    link = IN_ORDER._replace(
        retries=retries,
        outage_from_us_O=np.array([50_000, 700_000]),
        outage_to_us_O=np.array([400_000, 800_000]),
    )
    cell = Cell(2, link)
    cell.offer(0, 0, 90)
    cell.offer(60_000, 1, 90)
    cell.advance(HORIZON_US)
    assert [(packet.end_us, packet.bits, packet.lost) for packet in cell.packets[:2]] == [
        (50_000, 0, True),
        (500_000, 800, False),
    ]
    assert [message.fate for message in cell.finished] == fates
    cell = Cell(1, link)
    cell.offer(600_000, 0, 90)  # through in the very microsecond in which the next begins
    assert cell.send_one().end_us == 700_000
    cell.offer(700_000, 0, 90)
    assert cell.end_us == 800_000
    cell.advance(HORIZON_US)
    assert cell.out[-1].end_us == 900_000
    assert cell.end_us == NEVER


def test_a_link_that_changes_is_in_the_same_state_after_an_outage() -> None:
    link = TWO_STATES._replace(
        sharing=FIFO, queue=DROP_TAIL, bps_S=np.array([1, 8000]), slot_us=1_000, retries=1
    )
    link = link._replace(outage_from_us_O=np.array([1]), outage_to_us_O=np.array([2_000]))
    idle, cut = Cell(1, link), Cell(1, link)
    idle.offer(2_000, 0, 90)
    cut.offer(0, 0, 90)  # would have taken many slots
    cut.advance(HORIZON_US)
    assert cut.out[-1].end_us == idle.send_one().end_us


def test_a_camera_whose_oldest_gives_way_keeps_its_turn() -> None:
    cell = Cell(2, PLAIN._replace(sharing=FIFO, queue=DROP_HEAD, buffer_bytes=100))
    cell.offer(0, 0, 90, 0)
    cell.offer(1, 1, 90, 1)
    cell.offer(2, 0, 90, 2)
    cell.offer(3, 1, 90, 3)
    cell.advance(HORIZON_US)
    assert [message.frame for message in cell.finished if message.fate == BUFFER] == [1]
    assert [message.frame for message in cell.out] == [0, 3, 2]
