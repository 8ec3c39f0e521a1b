"""Who owns what: shards, cells and cameras, and the draws that sweep points share."""

import numpy as np
import pytest
from engine.formula import formula_case
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.control.spec import ControlSpec
from fleet_sim.engine.answers import audited
from fleet_sim.engine.cameras import new_cameras, upcoming
from fleet_sim.engine.fleet import Fleet, cameras_of_cells, cells_of_shard
from fleet_sim.engine.sent import Sent
from fleet_sim.engine.views import scene_of

FLEET = formula_case().fleet
EVERY_CELL = np.arange(FLEET.cells)


@given(st.integers(0, 500), st.integers(1, 50))
def test_shards_own_whole_cells_each_once_and_in_order(cells: int, shards: int) -> None:
    owned = [cells_of_shard(cells, shard, shards) for shard in range(shards)]
    assert np.concatenate(owned).tolist() == list(range(cells))
    sizes = [len(cell_C) for cell_C in owned]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 7))
def test_every_camera_is_in_one_cell_of_one_shard(cameras: int, cells: int, shards: int) -> None:
    fleet = FLEET._replace(cameras=cameras, cells=cells)
    everyone: list[int] = []
    for shard in range(shards):
        cell_C = cells_of_shard(cells, shard, shards)
        camera_R, count_C = cameras_of_cells(fleet, cell_C)
        assert camera_R.dtype == np.int64
        np.testing.assert_array_equal(camera_R % cells, np.repeat(cell_C, count_C))
        assert all(np.all(np.diff(part_R) > 0) for part_R in np.split(camera_R, np.cumsum(count_C)))
        everyone += camera_R.tolist()
    assert sorted(everyone) == list(range(cameras))


@given(st.integers(0, 10**12), st.integers(1000, 10**9))
def test_a_boundary_is_the_first_multiple_at_or_after_a_time(at_us: int, period_us: int) -> None:
    boundary = ControlSpec(period_us=period_us).boundary_us(at_us)
    assert boundary % period_us == 0
    assert boundary - period_us < at_us <= boundary


def phases(fleet: Fleet) -> dict[int, int]:
    cameras, uplinks, _ = new_cameras(fleet, np.arange(fleet.cells), (), 1)
    return dict(zip(uplinks.cameras["camera"].tolist(), cameras.sources["capture_us"].tolist(), strict=True))


@pytest.mark.parametrize("more", [1, 100, 5000])
def test_more_cameras_leave_earlier_ones_their_phases_and_scenes(more: int) -> None:
    few, many = phases(FLEET), phases(FLEET._replace(cameras=FLEET.cameras + more, encode_us=7))
    assert {camera: many[camera] for camera in few} == few
    assert len(set(many.values())) > 1
    # What a camera sees is asked of (seed, camera, frame, scenes) alone.
    seen = [scene_of(FLEET, 3, frame, 0) for frame in range(50)]
    assert set(seen) == set(range(FLEET.scenes))
    assert seen != [scene_of(FLEET._replace(seed=FLEET.seed + 1), 3, frame, 0) for frame in range(50)]


def test_phases_are_spread_over_the_whole_period_however_long_it_is() -> None:
    day_us = 86_400 * 10**6
    phase_us = np.array(list(phases(FLEET._replace(cameras=2000, frame_period_us=day_us)).values()))
    histogram, _ = np.histogram(phase_us, bins=8, range=(0, day_us))
    assert histogram.sum() == 2000
    assert histogram.min() > 200  # 250 each on average


@given(st.integers(0, 10**7), st.integers(0, 40))
def test_frames_to_come_are_foretold_with_their_times(until_us: int, room: int) -> None:
    cameras, uplinks, _ = new_cameras(FLEET, EVERY_CELL, (), 1)
    wanted = [
        (row, capture_us)
        for row, phase_us in enumerate(cameras.sources["capture_us"].tolist())
        for capture_us in range(phase_us, until_us - FLEET.encode_us, FLEET.frame_period_us)
    ]
    row_F, capture_us_F = np.full(room, -1), np.full(room, -1)
    assert upcoming(cameras, uplinks, FLEET, until_us, row_F, capture_us_F) == len(wanted)
    written = min(room, len(wanted))
    assert list(zip(row_F.tolist(), capture_us_F.tolist(), strict=True))[:written] == wanted[:written]


def test_an_audit_takes_its_share_and_each_frame_for_itself() -> None:
    number_M = np.arange(20_000)
    frames = Sent(number_M, number_M, number_M % 100, number_M // 100, number_M, number_M)
    chosen_M = audited(frames, FLEET, 50_000)
    assert abs(chosen_M.mean() - 0.05) < 0.008  # five standard deviations
    backwards = Sent(*(column[::-1] for column in frames))
    np.testing.assert_array_equal(audited(backwards, FLEET, 50_000)[::-1], chosen_M)
    assert not audited(frames, FLEET, 0).any()
    assert audited(frames, FLEET, 10**6).all()
