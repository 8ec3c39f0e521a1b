"""Encoders over the air, against a plain reference that sends block by block."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.engine.air import (
    AIR_COLUMNS,
    BLOCKS,
    BLOCKS_LOST,
    LEFT,
    RETURNED,
    TAKEN_UP,
    carry,
    obey,
)
from fleet_sim.engine.cameras import new_cameras
from fleet_sim.engine.fleet import Fleet, cells_of_shard
from fleet_sim.engine.installs import versions_of
from fleet_sim.engine.orders import Order
from fleet_sim.network.downlink import Downlink
from tests.engine.fleets import link, periodic
from tests.engine.reference_air import MILLION, Result, expected

PERIOD_US = MILLION  # between orders; no frame takes longer to encode
COMMAND_BYTES = 24


def send(number: int, at_us: int, version: int, content_bytes: int, below_ppm: int = MILLION) -> Order:
    """A version to so many of the cameras, as large for all."""
    return Order(number, at_us, version, version, below_ppm, np.full(4, content_bytes), False)


def take_back(number: int, at_us: int, version: int, content_bytes: int = COMMAND_BYTES) -> Order:
    return Order(number, at_us, version, version, 0, np.full(4, content_bytes), True)


def fleet_with(downlink: Downlink, cameras: int = 6, cells: int = 2, **fields: int) -> Fleet:
    given = {"duration_us": 60 * MILLION, "install_us": 0, "install_failure_ppm": 0, "seed": 7} | fields
    return periodic(
        cameras=cameras,
        cells=cells,
        frame_period_us=MILLION,
        encode_us=10_000,
        message_header_bytes=4,
        deadline_us=500_000,
        fixed_level=0,
        headroom_ppm=950_000,
        scenes=1,
        link=link(100_000, propagation_us=0),
        downlink=downlink,
        **given,
    )


def downlink(bps: int = 8_000, block_bytes: int = 90, header_bytes: int = 10, **fields: object) -> Downlink:
    plain = {"lost": 0, "every_us": 0, "first_us": 0, "open_us": 0}
    outages = fields.pop("outages", ())
    from_us, to_us = (np.array([o[i] for o in outages], np.int64) for i in (0, 1))
    return Downlink(
        bps, block_bytes, header_bytes, **(plain | fields), outage_from_us_O=from_us, outage_to_us_O=to_us
    )


def simulated(
    fleet: Fleet, orders: Sequence[Order], ends_us: Sequence[int], probes_us: Sequence[int], shards: int = 1
) -> Result:
    """The fleet under these orders; steps end at every order and at `ends_us`."""
    versions = [[0] * len(probes_us) for _ in range(fleet.cameras)]
    air_VGSQ = np.zeros((4, 1, fleet.seconds, len(AIR_COLUMNS)), np.int64)
    stops = sorted({fleet.duration_us, *ends_us, *(order.from_us for order in orders)})
    for shard in range(shards):
        cameras, u, _ = new_cameras(fleet, cells_of_shard(fleet.cells, shard, shards), (), 1)
        now_us = 0
        for until_us in stops:
            current = [order for order in orders if order.from_us <= now_us]
            if current:
                if current[-1].from_us == now_us:
                    obey(cameras, u, fleet, current[-1], air_VGSQ)
                carry(cameras, u, fleet, current[-1], until_us, air_VGSQ)
            # Known before its step's frames are coded, among them those captured up to a period before it.
            for p, probe_us in enumerate(probes_us):
                if now_us - PERIOD_US <= probe_us < until_us:
                    rows = np.arange(len(u.cameras))
                    found = np.zeros(len(rows), np.int64)
                    versions_of(cameras, np.zeros(1, np.int64), rows, np.full(len(rows), probe_us), found)
                    for row, version in enumerate(found):
                        versions[u.cameras["camera"][row]][p] = int(version)
            now_us = until_us
    return Result(versions, air_VGSQ.sum(axis=1))


def same(found: Result, wanted: Result) -> None:
    assert found.versions == wanted.versions
    np.testing.assert_array_equal(found.air_VSQ, wanted.air_VSQ)


def test_by_hand_a_cell_sends_one_camera_after_another() -> None:
    """250 bytes in blocks of 90 + 10: 280 bytes at 1,000 bytes a second, for three cameras a cell."""
    fleet = fleet_with(downlink(), install_us=2 * MILLION)
    order = send(0, 5 * MILLION, 1, 250)
    ready_us = [5_280_000 + 2_000_000, 5_560_000 + 2_000_000, 5_840_000 + 2_000_000]
    probes_us = [t + shift for t in ready_us for shift in (-1, 0)]
    found = simulated(fleet, [order], [], probes_us)
    for camera in range(6):
        place = camera // 2  # cells 0 and 1 take turns among cameras
        assert found.versions[camera] == [int(t >= ready_us[place]) for t in probes_us]
    assert found.air_VSQ[1, 5].tolist() == [2 * 3 * 280 * 8, 2 * 9, 0, 0, 0, 0, 0]
    assert found.air_VSQ[1, 7, TAKEN_UP] == found.air_VSQ[0, 7, LEFT] == 6


def test_resumed_after_an_outage_without_what_arrived() -> None:
    """The block on its way is sent again, no other: 3 blocks of 100 ms, an outage in the second."""
    fleet = fleet_with(downlink(outages=[(150_000, 3_000_000)]), cameras=1, cells=1)
    found = simulated(fleet, [send(0, 0, 1, 270)], [], [3_199_999, 3_200_000])
    assert found.versions == [[0, 1]]
    assert found.air_VSQ[1, :, BLOCKS].sum() == 3


def test_only_within_maintenance_windows() -> None:
    """Open for 250 ms every 10 s from 2 s on: two blocks of 100 ms in each window."""
    fleet = fleet_with(
        downlink(every_us=10 * MILLION, first_us=2 * MILLION, open_us=250_000), cameras=1, cells=1
    )
    found = simulated(fleet, [send(0, 0, 1, 450)], [], [22_099_999, 22_100_000])
    assert found.versions == [[0, 1]]
    assert np.flatnonzero(found.air_VSQ[1, :, BLOCKS]).tolist() == [2, 12, 22]


def test_transfer_time_is_size_over_goodput() -> None:
    """With a fifth of the blocks lost the fleet takes 1 / 0.8 of the time, within four standard errors."""
    cameras, blocks, loss = 50, 100, 0.2
    fleet = fleet_with(downlink(bps=800_000, lost=round(loss * 2**32)), cameras=cameras, cells=1)
    found = simulated(fleet, [send(0, 0, 1, 90 * blocks)], [], [])
    sent, lost = found.air_VSQ[1, :, BLOCKS].sum(), found.air_VSQ[1, :, BLOCKS_LOST].sum()
    assert sent - lost == cameras * blocks  # nothing that arrived was sent again
    assert found.air_VSQ[1, :, TAKEN_UP].sum() == cameras
    mean, deviation = cameras * blocks / (1 - loss), (cameras * blocks * loss) ** 0.5 / (1 - loss)
    assert abs(sent - mean) < 4 * deviation


def test_taken_back_by_a_command() -> None:
    """What has the version goes back within a block; what does not have it yet never gets it."""
    fleet = fleet_with(downlink(), cameras=4, cells=1, install_us=300_000)
    orders = [send(0, 0, 1, 900), take_back(1, 3 * MILLION, 1, 20)]
    # 1 s a camera; the third is on its way at 3 s, the second is there at 2.3 s.
    probes_us = [2_000_000, 2_999_999, 3_029_999, 3_030_000, 3_060_000, 20_000_000]
    found = simulated(fleet, orders, [], probes_us)
    assert found.versions == [[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 0], [0] * 6, [0] * 6]


def test_each_camera_gets_what_brings_it_from_the_version_that_it_has() -> None:
    """Some of eight cameras have version 1, from which version 2 is 1 block of 90 bytes; from 0 it is 4."""
    fleet = fleet_with(downlink(), cameras=8, cells=1)
    first = send(0, 0, 1, 90, below_ppm=500_000)
    second = Order(1, 10 * MILLION, 2, 2, MILLION, np.array([360, 90, 0, 0]), False)
    found = simulated(fleet, [first, second], [], [9_999_999, 59_999_999])
    had = [versions[0] for versions in found.versions]
    assert 0 < sum(had) < 8
    assert [versions[1] for versions in found.versions] == [2] * 8
    assert found.air_VSQ[2, :, BLOCKS].sum() == sum(1 if version else 4 for version in had)


def test_cameras_go_back_to_what_each_of_them_had() -> None:
    """Version 2 is taken back: who had skipped version 1 has the first again, the others have version 1."""
    fleet = fleet_with(downlink(), cameras=8, cells=1)
    orders = [send(0, 0, 1, 90, below_ppm=500_000), send(1, 10 * MILLION, 2, 90)]
    orders.append(take_back(2, 20 * MILLION, 2))
    found = simulated(fleet, orders, [], [9_999_999, 19_999_999, 59_999_999])
    first, second, last = zip(*found.versions, strict=True)
    assert set(first) == {0, 1}
    assert set(second) == {2}
    assert last == first
    total_VQ = found.air_VSQ.sum(axis=1)
    assert total_VQ[:, RETURNED].tolist() == [8 - sum(first), sum(first), 0, 0]
    assert total_VQ[2, BLOCKS] == 8 + 8  # and the commands


def test_a_frame_that_is_being_coded_keeps_its_encoder() -> None:
    """Taken up at 0.1 s, 2.9 s and 3.1 s: a frame of 2.85 s that is not yet coded at 3 s is of the first."""
    fleet = fleet_with(downlink(), cameras=1, cells=1)
    orders = [send(0, 0, 1, 90), send(1, 2 * MILLION, 2, 800), send(2, 3 * MILLION, 3, 90)]
    probes_us = [99_999, 100_000, 2_850_000, 2_900_000, 3_099_999, 3_100_000]
    assert simulated(fleet, orders, [], probes_us).versions == [[0, 1, 1, 2, 2, 3]]


@st.composite
def rollouts(draws: st.DrawFn) -> tuple[Fleet, list[Order]]:
    outage = draws(st.integers(0, 30 * MILLION))
    window = draws(st.booleans())
    given_downlink = downlink(
        bps=draws(st.sampled_from([999, 8_000, 64_001, 1_000_000])),
        block_bytes=draws(st.integers(20, 300)),
        header_bytes=draws(st.integers(0, 40)),
        lost=draws(st.sampled_from([0, 2**30, 2**31])),
        every_us=7 * MILLION if window else 0,
        first_us=draws(st.integers(0, 5 * MILLION)) if window else 0,
        open_us=draws(st.integers(1, 7 * MILLION)) if window else 0,
        outages=[(outage, outage + 2_500_000)] if draws(st.booleans()) else (),
    )
    fleet = fleet_with(
        given_downlink,
        cameras=draws(st.integers(3, 12)),
        cells=draws(st.integers(1, 3)),
        seed=draws(st.integers(0, 99)),
        install_us=draws(st.sampled_from([0, 1, 1_700_000])),
        install_failure_ppm=draws(st.sampled_from([0, 300_000])),
    )
    times = sorted(draws(st.sets(st.integers(0, draws(st.sampled_from([8, 55]))), min_size=1, max_size=6)))
    orders: list[Order] = []
    for number, time in enumerate(times):
        version = draws(st.integers(1, 3))
        if draws(st.booleans()):
            orders.append(take_back(number, time * MILLION, version))
            continue
        below_ppm = draws(st.sampled_from([200_000, 600_000, MILLION]))
        bytes_V = 500 * version + 130 * np.arange(4)
        orders.append(Order(number, time * MILLION, version, version, below_ppm, bytes_V, False))
    return fleet, orders


@settings(max_examples=300, deadline=None)
@given(rollouts(), st.sets(st.integers(1, 59_999_999), max_size=8), st.integers(1, 3))
def test_equal_to_the_reference_in_any_steps_on_any_shards(
    rollout: tuple[Fleet, list[Order]], ends_us: set[int], shards: int
) -> None:
    fleet, orders = rollout
    probes_us = list(range(0, 60 * MILLION, 333_333))
    same(simulated(fleet, orders, sorted(ends_us), probes_us, shards), expected(fleet, orders, probes_us))
