"""A cell's clock and its queues: exact ends, bytes within the buffer, expiry when a packet's turn comes."""

from collections import deque
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network.cell import Cell
from network.plain import HEADER_BYTES, PLAIN


@pytest.mark.parametrize("bps", [101, 9973, 800, 8000, 999_983, 10**9 + 7, 10**11])
def test_rounding_never_piles_up_over_a_long_busy_time(bps: int) -> None:
    began_us = 123_457
    cell = Cell(1, PLAIN._replace(bps=bps, buffer_bytes=10**7))
    for size in np.random.default_rng(bps).integers(0, PLAIN.mtu_bytes - HEADER_BYTES, 2000):
        cell.offer(began_us, 0, int(size))
    cell.advance(10**14)
    assert len(cell.out) == 2000
    exact_us = Fraction(began_us)
    for sent in cell.out:
        exact_us += Fraction(sent.bits * 10**6, bps)
        assert sent.end_us == ceil(exact_us)


def test_packets_that_fill_whole_seconds_end_on_them() -> None:
    cell = Cell(1, PLAIN._replace(bps=800))
    for _ in range(500):
        cell.offer(5, 0, 90)
    cell.advance(10**9)
    assert [message.end_us for message in cell.out] == [5 + 10**6 * (k + 1) for k in range(500)]


def test_a_new_busy_time_starts_a_new_clock() -> None:
    cell = Cell(1, PLAIN._replace(bps=7_000_000))  # 96 bits last 13.71 us
    for now_us in (0, 0, 100, 100, 128):  # the fourth is through exactly when the fifth comes
        cell.offer(now_us, 0, 2)
    cell.advance(10**6)
    assert [message.end_us for message in cell.out] == [14, 28, 114, 128, 142]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(HEADER_BYTES, 120),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(0, 40_000), st.booleans()), max_size=60
    ),
)
def test_a_queue_is_a_buffer_of_bytes_with_tail_drop(
    buffer_bytes: int, offers: list[tuple[int, int, int, bool]]
) -> None:
    cell = Cell(3, PLAIN._replace(bps=10_000, buffer_bytes=buffer_bytes))
    queues: list[deque[tuple[int, int]]] = [deque() for _ in range(3)]
    accepted, now_us = 0, 0
    waiting_bytes_R = cell.u.cameras["waiting_bytes"]
    for frame, (camera, size, gap_us, hurried) in enumerate(offers):
        now_us += gap_us
        cell.advance(now_us)
        wire = size + HEADER_BYTES
        fits = int(waiting_bytes_R[camera]) + wire <= buffer_bytes
        assert cell.offer(now_us, camera, size, frame, now_us + 30_000 if hurried else None) == fits
        accepted += fits
        if fits:
            queues[camera].append((frame, wire))
        assert (waiting_bytes_R <= buffer_bytes).all()
        assert (waiting_bytes_R >= 0).all()
    cell.advance(10**9)
    assert len(cell.out) + cell.expired == accepted
    assert waiting_bytes_R.tolist() == [0, 0, 0]
    for camera, queue in enumerate(queues):  # sent in the order they came, each with its own size
        sent = [(message.frame, message.bits // 8) for message in cell.out if message.camera == camera]
        assert sent == sorted(sent)
        assert set(sent) <= set(queue)


def test_the_packet_being_sent_leaves_its_room_to_others() -> None:
    cell = Cell(1, PLAIN._replace(buffer_bytes=100))
    assert cell.offer(0, 0, 90)
    assert cell.offer(0, 0, 90)
    assert not cell.offer(0, 0, 0)
    cell.advance(100_000)
    assert cell.offer(100_000, 0, 90)


def test_a_packet_may_end_at_its_expiry_but_not_after() -> None:
    for expiry_us, sent in ((200_000, 2), (199_999, 1)):
        cell = Cell(1)
        cell.offer(0, 0, 90)
        cell.offer(0, 0, 90, expiry_us=expiry_us)
        cell.advance(10**6)
        assert (len(cell.out), cell.expired) == (sent, 2 - sent)


def test_an_expired_packet_takes_no_time_and_charges_nobody() -> None:
    cell = Cell(2)
    for frame in range(12):
        cell.offer(0, 0, 90, frame)
        if frame == 0:
            cell.offer(0, 0, 490, 99, expiry_us=150_000)
        cell.offer(0, 1, 90, frame)
    cell.advance(10**7)
    assert cell.expired == 1
    assert [message.end_us for message in cell.out] == [100_000 * (k + 1) for k in range(24)]
    # Camera 1 passes while the large packet waits for its turn; then camera 0 catches up.
    ahead = np.cumsum([message.bits if message.camera else -message.bits for message in cell.out])
    assert np.abs(ahead).max() <= 8 * (500 + 100)
    assert ahead[-1] == 0
