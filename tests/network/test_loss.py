"""Which packets are lost, and what becomes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network.cell import Cell
from network.plain import HORIZON_US, PLAIN

from fleet_sim.basics.hashing import STREAM_LOSS, draw
from fleet_sim.network.link import CERTAIN, DROP_TAIL, Link
from fleet_sim.network.packets import fails
from fleet_sim.network.queues import LOST
from fleet_sim.network.uplink import CAMERA

SMALL = PLAIN._replace(mtu_bytes=50, fragment_bytes=3, queue=DROP_TAIL)


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_a_packet_is_given_up_after_so_many_retries_and_its_message_with_it(retries: int) -> None:
    cell = Cell(1, SMALL._replace(loss_good=CERTAIN, retries=retries))
    cell.offer(0, 0, 20)
    cell.offer(0, 0, 100)  # of three pieces, of which two are never tried
    cell.advance(HORIZON_US)
    assert [packet.bits // 8 for packet in cell.packets] == [30] * (retries + 1) + [50] * (retries + 1)
    assert all(packet.lost for packet in cell.packets)
    assert [message.fate for message in cell.finished] == [LOST, LOST]


def test_a_retry_starts_from_the_piece_that_was_lost() -> None:
    cell = Cell(1, SMALL._replace(loss_good=CERTAIN // 2, retries=100))
    for frame in range(50):
        cell.offer(0, 0, 100, frame)
    cell.advance(HORIZON_US)
    assert [packet.bits // 8 for packet in cell.packets if not packet.lost] == 50 * [50, 50, 39]
    assert [message.frame for message in cell.out] == list(range(50))


THRESHOLD = st.integers(0, CERTAIN)


def losses(link: Link, seed: int, attempts: int) -> list[bool]:
    camera = np.zeros(1, CAMERA)[0]
    lost = []
    for _ in range(attempts):
        camera["attempts"] += 1
        lost.append(bool(fails(camera, link, seed)))
    return lost


@given(THRESHOLD, THRESHOLD, THRESHOLD, THRESHOLD)
def test_the_state_before_a_packet_decides_on_its_loss(
    to_bad: int, to_good: int, good: int, bad: int
) -> None:
    link = PLAIN._replace(to_bad=to_bad, to_good=to_good, loss_good=good, loss_bad=bad)
    state, expected = 0, []
    for attempt in range(1, 101):
        toss, turn = divmod(int(draw(5, STREAM_LOSS, 0, attempt)), 1 << 32)
        expected.append(toss < (good, bad)[state])
        state ^= turn < (to_bad, to_good)[state]
    assert losses(link, 5, 100) == expected


def test_losses_come_as_often_and_as_long_as_the_channel_has_it() -> None:
    p, r, attempts = 0.05, 0.25, 40_000
    link = PLAIN._replace(to_bad=int(p * CERTAIN), to_good=int(r * CERTAIN), loss_bad=CERTAIN)
    lost = np.array(losses(link, 5, attempts))
    share, correlation = p / (p + r), 1 - p - r
    variance = share * (1 - share) * (1 + correlation) / (1 - correlation) / attempts
    assert abs(lost.mean() - share) < 4 * variance**0.5
    starts = np.count_nonzero(lost[1:] & ~lost[:-1])
    # Bursts are geometric with mean 1 / r.
    assert abs(lost.sum() / starts - 1 / r) < 4 * ((1 - r) / r**2 / starts) ** 0.5
