"""Cameras that wait for a time: the heap of wakes against a dict, and what makes a camera wait."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network.cell import Cell
from network.plain import HORIZON_US, PLAIN

from fleet_sim.network import waiting
from fleet_sim.network.link import CERTAIN, DROP_TAIL, FIFO
from fleet_sim.network.uplink import NEVER, WAKE, idle_uplinks

CAMERAS = 6
ALONE = PLAIN._replace(sharing=FIFO, queue=DROP_TAIL)
RETRYING = ALONE._replace(retries=1, retry_wait_us=1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["set", "set", "take", "cancel"]), st.integers(0, CAMERAS - 1), st.integers(0, 9)
        ),
        max_size=50,
    )
)
def test_the_earliest_wakes_first_and_ties_to_the_lower_camera(
    operations: list[tuple[str, int, int]],
) -> None:
    u, _ = idle_uplinks(RETRYING, 1, np.arange(2), np.arange(2 * CAMERAS), np.array([CAMERAS, CAMERAS]))
    cell, wake_us = u.cells[1], {}
    for operation, camera, time_us in operations:
        row = CAMERAS + camera
        if operation == "set":
            waiting.set_wake(u, cell, row, time_us)
            wake_us[row] = min(time_us, wake_us.get(row, time_us))
        elif operation == "cancel":
            waiting.cancel_wake(u, cell, row)
            wake_us.pop(row, None)
        elif wake_us:
            waiting.take_wake(u, cell)
            del wake_us[min(wake_us, key=lambda row: (wake_us[row], row))]
        assert cell["wakes"] == len(wake_us)
        assert np.flatnonzero(u.cameras["flags"] & WAKE).tolist() == sorted(wake_us)
        if wake_us:
            first = int(u.waiting["wake"][CAMERAS])
            assert (u.waiting["wake_us"][first], first) == min((at_us, row) for row, at_us in wake_us.items())


@given(st.lists(st.integers(0, 50), max_size=8, unique=True), st.integers(0, 60))
def test_the_next_outage_is_the_first_that_is_not_over(ends: list[int], time_us: int) -> None:
    ends = sorted(ends[: len(ends) // 2 * 2])
    link = PLAIN._replace(outage_from_us_O=np.array(ends[::2], int), outage_to_us_O=np.array(ends[1::2], int))
    ahead = [span for span in zip(ends[::2], ends[1::2], strict=True) if span[1] > time_us]
    assert waiting.outage_after(link, time_us) == min(ahead, default=(NEVER, NEVER))


@pytest.mark.parametrize("rest_ppm", [1, 9_000_000, 99_000_000])
def test_a_camera_rests_for_its_share_of_its_time_on_the_air(rest_ppm: int) -> None:
    cell = Cell(1, ALONE._replace(rest_ppm=rest_ppm, bps=7919))
    for size in (90, 17, 0, 250):
        cell.offer(0, 0, size)
    cell.offer(10**9, 0, 3)  # its rest is long over
    cell.advance(HORIZON_US)
    begin_us, expected_us = 0, []
    for packet in cell.packets[:-1]:
        expected_us.append(begin_us + ceil(packet.bits * 10**6 / 7919))
        air_us = packet.end_us - begin_us
        begin_us = packet.end_us + ceil(air_us * rest_ppm / 10**6)
    assert [packet.end_us for packet in cell.packets] == [*expected_us, 10**9 + ceil(104 * 10**6 / 7919)]


def test_others_send_while_a_camera_does_not_know_of_its_loss() -> None:
    cell = Cell(2, ALONE._replace(retries=2, retry_wait_us=150_000, loss_good=CERTAIN))
    cell.offer(0, 0, 90)
    cell.offer(0, 1, 90)
    cell.advance(HORIZON_US)
    # 0.1 s each: camera 0 may try again at 0.25 s, camera 1 at 0.35 s.
    assert [(packet.camera, packet.end_us) for packet in cell.packets] == [
        (0, 100_000), (1, 200_000), (0, 350_000), (1, 450_000), (0, 600_000), (1, 700_000)
    ]  # fmt: skip


def test_a_packet_waits_to_be_filled_but_not_for_ever() -> None:
    cell = Cell(1, ALONE._replace(aggregate=3, aggregate_wait_us=1_000_000))
    for now_us in (0, 600_000, 5_000_000, 5_100_000, 5_200_000):
        cell.offer(now_us, 0, 40)
    cell.advance(HORIZON_US)
    # Two after the longest wait, 90 bytes with one header; three as soon as there are three.
    assert [(packet.end_us, packet.bits // 8) for packet in cell.packets] == [
        (1_090_000, 90),
        (5_330_000, 130),
    ]


def test_a_rest_and_a_wait_for_others_both_have_to_be_over() -> None:
    link = ALONE._replace(aggregate=2, aggregate_wait_us=300_000, rest_ppm=2_000_000)
    cell = Cell(1, link)
    for now_us in (0, 0, 310_000, 1_000_000):
        cell.offer(now_us, 0, 90)
    cell.advance(HORIZON_US)
    # 190 bytes from 0, rest until 0.57 s; the third has waited long enough at 0.61 s; rest until 0.91 s;
    # the fourth waits from 1 s on.
    assert [packet.end_us for packet in cell.packets] == [190_000, 710_000, 1_400_000]
