"""Who collides: cameras that send when they like, against all pairs of intervals."""

from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from network.plain import HEADER_BYTES, PLAIN

from fleet_sim.basics.hashing import STREAM_BACKOFF, STREAM_CHANNEL, draw_below
from fleet_sim.network import aloha, packets, queues, waiting
from fleet_sim.network.link import AIRTIME, ALOHA, DROP_LATE, DROP_TAIL, Link
from fleet_sim.network.queues import LATE, LOST, NONE, OUT, THROUGH
from fleet_sim.network.uplink import AIR, idle_uplinks

SEED, CAMERAS, PATIENCE_US = 4, 4, 100
# A byte a microsecond.
FREE = PLAIN._replace(sharing=ALOHA, queue=DROP_TAIL, bps=8_000_000)
Offer = tuple[int, int, int]  # time, camera, size
OFFERS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, CAMERAS - 1), st.integers(0, 15)), max_size=14
)


class Attempt(NamedTuple):
    """A packet that was on the air from begin_us to end_us."""

    begin_us: int
    end_us: int
    camera: int
    channel: int
    bits: int
    lost: bool


def send(link: Link, offers: list[Offer]) -> tuple[list[Attempt], dict[int, int]]:
    """All packets on the air, and the fate of each message by its place in sorted(offers)."""
    u, pool = idle_uplinks(link, SEED, np.zeros(1, np.int64), np.arange(CAMERAS), np.array([CAMERAS]))
    attempts: list[Attempt] = []
    fates: dict[int, int] = {}
    to_come = sorted(offers)
    cell = u.cells[0]
    while to_come or cell["wakes"]:
        wake = (2**62, 0)
        if cell["wakes"]:
            row = int(u.waiting["wake"][0])
            wake = (int(u.waiting["wake_us"][row]), row)
        if not to_come or wake <= to_come[0][:2]:
            now_us, row = wake
            waiting.take_wake(u, cell)
            if u.cameras[row]["flags"] & AIR:
                begin_us, channel = int(u.air[row]["since_us"]), int(u.cameras[row]["channel"])
                aloha.leave_channel(u, 0, row)
                _, bits, lost = packets.land(u, pool, link, SEED, row, row, now_us)
                attempts.append(Attempt(begin_us, now_us, row, channel, int(bits), bool(lost)))
        else:
            now_us, row, size = to_come.pop(0)
            frame = len(offers) - len(to_come) - 1
            wire = packets.wire_bytes(link, size)
            queues.append(u.cameras[row], pool, row, frame, now_us, size, 0, 0, 0, wire)
        constants: Any = (link, SEED, 0, PATIENCE_US)
        aloha.send_or_wait(u, pool, *constants, 0, row, now_us)
        while (place := queues.take_finished(pool)) != NONE:
            fates[int(pool.messages[place]["frame"])] = int(pool.messages[place]["fate"])
    return attempts, fates


def overlap(one: Attempt, two: Attempt) -> bool:
    return one.channel == two.channel and one.begin_us < two.end_us and two.begin_us < one.end_us


@settings(max_examples=300)
@given(OFFERS, st.integers(1, 3))
def test_packets_that_overlap_on_a_channel_are_lost_and_no_others(offers: list[Offer], channels: int) -> None:
    expected, free_us_R, begun_R = [], [0] * CAMERAS, [0] * CAMERAS
    for at_us, camera, size in sorted(offers):  # each as soon as its camera is free
        begin_us = max(at_us, free_us_R[camera])
        free_us_R[camera] = end_us = begin_us + size + HEADER_BYTES
        begun_R[camera] += 1
        channel = int(draw_below(SEED, STREAM_CHANNEL, camera, begun_R[camera], channels))
        expected.append(Attempt(begin_us, end_us, camera, channel, 8 * (size + HEADER_BYTES), False))
    lost = [sum(overlap(one, two) for two in expected) > 1 for one in expected]
    attempts, fates = send(FREE._replace(channels=channels), offers)
    assert sorted(attempts) == sorted(
        attempt._replace(lost=was) for attempt, was in zip(expected, lost, strict=True)
    )
    assert fates == {frame: LOST if was else THROUGH for frame, was in enumerate(lost)}


@settings(max_examples=300)
@given(
    OFFERS,
    st.integers(1, 2),
    st.integers(0, 3),
    st.integers(0, 20),
    st.sampled_from([0, 5, 40]),
    st.sampled_from([0, 1_500_000]),
)
def test_whatever_makes_cameras_wait_only_what_overlaps_is_lost(
    offers: list[Offer], channels: int, retries: int, retry_wait_us: int, backoff_us: int, rest_ppm: int
) -> None:
    link = FREE._replace(
        channels=channels,
        retries=retries,
        retry_wait_us=retry_wait_us,
        backoff_us=backoff_us,
        rest_ppm=rest_ppm,
        outage_from_us_O=np.array([50]),
        outage_to_us_O=np.array([65]),
    )
    attempts, fates = send(link, offers)
    assert sorted(fates) == list(range(len(offers)))
    for one in attempts:
        assert one.end_us <= 50 or one.begin_us >= 65
        cut = one.bits == 0
        assert one.end_us == 50 or not cut
        assert one.lost == (cut or sum(overlap(one, two) for two in attempts) > 1)
    for camera in range(CAMERAS):
        for one, two in pairwise([attempt for attempt in attempts if attempt.camera == camera]):
            air_us = one.end_us - one.begin_us
            assert two.begin_us >= one.end_us + ceil(air_us * rest_ppm / 10**6)


def test_retries_wait_until_the_loss_is_known_and_a_time_drawn_on_top() -> None:
    link = FREE._replace(retries=9, retry_wait_us=7, backoff_us=4)  # too short a time to part ways
    attempts, fates = send(link, [(0, 0, 90), (0, 1, 90)])
    assert fates == {0: LOST, 1: LOST}
    for camera in range(2):
        begin_us = 0
        mine = [attempt for attempt in attempts if attempt.camera == camera]
        for count, attempt in enumerate(mine, start=1):
            assert attempt.begin_us == begin_us
            begin_us += 100 + 7 + int(draw_below(SEED, STREAM_BACKOFF, camera, count, 4))
        assert len(mine) == 10


def test_a_packet_lasts_its_time_on_air_and_is_dropped_if_that_is_too_late() -> None:
    link = FREE._replace(header_bytes=0, capacity=AIRTIME, airtime_us_B=np.arange(100) ** 2, queue=DROP_LATE)
    # A frame has 100 us: the second would be through at 145 us, the third just in time, the fourth takes 121.
    attempts, fates = send(link, [(0, 0, 8), (0, 0, 9), (500, 1, 10), (700, 2, 11)])
    assert [(attempt.begin_us, attempt.end_us) for attempt in attempts] == [(0, 64), (500, 600)]
    assert fates == {0: THROUGH, 1: LATE, 2: THROUGH, 3: LATE}


def test_an_outage_cuts_off_what_is_on_the_air() -> None:
    link = FREE._replace(outage_from_us_O=np.array([50]), outage_to_us_O=np.array([65]))
    attempts, fates = send(link, [(0, 0, 90), (60, 1, 10)])
    assert [(attempt.begin_us, attempt.end_us, attempt.bits) for attempt in attempts] == [
        (0, 50, 0),
        (65, 85, 160),
    ]
    assert fates == {0: OUT, 1: THROUGH}
