"""How messages become packets, and what gives way to what."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st
from network.cell import Cell
from network.plain import HEADER_BYTES, HORIZON_US, PLAIN

from fleet_sim.network import packets
from fleet_sim.network.link import CERTAIN, DROP_HEAD, DROP_LATE, DROP_TAIL, ROUND_ROBIN, Link
from fleet_sim.network.queues import BUFFER, NONE, THROUGH
from fleet_sim.network.uplink import AIR, NEVER

SMALL = PLAIN._replace(mtu_bytes=50, fragment_bytes=3, queue=DROP_TAIL)  # 40 bytes whole, 37 in pieces


def pieces_of(link: Link, size: int) -> list[int]:
    """Bytes of each packet of a message on its own."""
    whole = link.mtu_bytes - link.header_bytes
    if size <= whole:
        return [size + link.header_bytes]
    part, header = whole - link.fragment_bytes, link.header_bytes + link.fragment_bytes
    return [min(part, size - sent) + header for sent in range(0, size, part)]


@given(st.integers(0, 200), st.integers(32, 90), st.integers(0, 15), st.integers(0, 8))
def test_a_message_is_cut_where_the_packet_is_full(size: int, mtu: int, header: int, further: int) -> None:
    link = PLAIN._replace(mtu_bytes=mtu, header_bytes=header, fragment_bytes=further)
    pieces = pieces_of(link, size)
    assert max(pieces) <= mtu
    assert packets.wire_bytes(link, size) == sum(pieces)
    for sent in range(len(pieces) + 1):
        assert packets.left_bytes(link, size, sent) == sum(pieces[sent:])


def test_pieces_go_out_one_by_one_and_others_have_their_turn_between() -> None:
    cell = Cell(2, SMALL._replace(sharing=ROUND_ROBIN))
    cell.offer(0, 1, 100)
    for frame in range(5):
        cell.offer(0, 0, 20, frame)
    cell.advance(HORIZON_US)
    sent = [(packet.camera, packet.bits // 8) for packet in cell.packets]
    assert sent == [(1, 50), (0, 30), (1, 50), (0, 30), (1, 39), (0, 30), (0, 30), (0, 30)]
    ends_us = [(message.camera, message.end_us) for message in cell.out]
    assert ends_us[:3] == [(0, 80_000), (0, 160_000), (1, 199_000)]


@given(st.lists(st.integers(0, 90), min_size=1, max_size=20), st.integers(1, 5))
def test_as_many_whole_messages_share_a_packet_as_fit(sizes: list[int], most: int) -> None:
    cell = Cell(1, SMALL._replace(aggregate=most))
    for size in [0, *sizes]:
        cell.offer(0, 0, size)  # the first finds the cell idle and goes alone
    cell.advance(HORIZON_US)
    expected, left = [HEADER_BYTES], deque(sizes)
    while left:
        size = left.popleft()
        if size > 40:
            expected += pieces_of(SMALL, size)
            continue
        messages = 1
        while left and messages < most and size + left[0] <= 40:
            size += left.popleft()
            messages += 1
        expected.append(size + HEADER_BYTES)
    assert [packet.bits // 8 for packet in cell.packets] == expected
    assert len(cell.out) == len(sizes) + 1


def waiting_bytes(cell: Cell, camera: int) -> int:
    """What waits, from the queue itself: all packets to come, less the one on the air."""
    state, air = cell.u.cameras[camera], cell.u.air[0]
    left, place = [], state["first"]
    while place != NONE:
        left.append(pieces_of(cell.link, int(cell.pool.messages[place]["bytes"])))
        place = cell.pool.messages[place]["next"]
    if left:
        del left[0][: state["fragment"]]
    if state["flags"] & AIR and air["messages"] == 0:
        del left[0][0]
    elif state["flags"] & AIR:
        del left[: air["messages"]]
    return sum(map(sum, left))


@settings(max_examples=150)
@given(
    st.sampled_from([DROP_LATE, DROP_TAIL, DROP_HEAD]),
    st.integers(1, 4),
    st.integers(0, 3),
    st.sampled_from([0, 30_000]),
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 120), st.integers(0, 90_000), st.booleans()), max_size=40
    ),
)
def test_whatever_is_lost_or_gives_way_the_bytes_that_wait_are_right(
    queue: int, most: int, retries: int, wait_us: int, offers: list[tuple[int, int, int, bool]]
) -> None:
    link = SMALL._replace(
        queue=queue,
        aggregate=most,
        retries=retries,
        retry_wait_us=wait_us,
        loss_good=CERTAIN // 2,
        buffer_bytes=200,
    )
    cell, accepted, now_us = Cell(2, link), 0, 0
    for frame, (camera, size, gap_us, hurried) in enumerate(offers):
        now_us += gap_us
        accepted += cell.offer(now_us, camera, size, frame, now_us + 100_000 if hurried else None)
        for row in range(2):
            assert cell.u.cameras[row]["waiting_bytes"] == waiting_bytes(cell, row)
    cell.advance(HORIZON_US)
    assert cell.end_us == NEVER
    assert cell.u.cameras["waiting_bytes"].tolist() == [0, 0]
    assert len({message.frame for message in cell.finished}) == len(cell.finished) == accepted


@given(st.sampled_from([DROP_LATE, DROP_TAIL, DROP_HEAD]), st.lists(st.integers(0, 120), max_size=25))
def test_the_newest_finds_no_room_or_the_oldest_give_way(queue: int, sizes: list[int]) -> None:
    link = SMALL._replace(queue=queue, buffer_bytes=180)
    cell, on_air = Cell(1, link), -1
    waiting: deque[tuple[int, int]] = deque()
    staying, dropped = 0, []
    for frame, size in enumerate(sizes):  # all at once: the first on the air stays there
        wire = sum(pieces_of(link, size))
        fits = cell.offer(0, 0, size, frame)
        if on_air < 0 and wire <= 180:
            on_air, staying = frame, sum(pieces_of(link, size)[1:])
            assert fits
            continue
        room = 180 - staying - wire
        if queue == DROP_HEAD and room >= 0:
            while sum(bytes_ for _, bytes_ in waiting) > room:
                dropped.append(waiting.popleft()[0])
        assert fits == (sum(bytes_ for _, bytes_ in waiting) <= room)
        if fits:
            waiting.append((frame, wire))
    assert [message.frame for message in cell.finished if message.fate == BUFFER] == dropped
    cell.advance(HORIZON_US)
    through = [message.frame for message in cell.finished if message.fate == THROUGH]
    assert through == ([on_air] if on_air >= 0 else []) + [frame for frame, _ in waiting]
