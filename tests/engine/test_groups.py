"""Groups of cameras that differ."""

from typing import Any

import numpy as np
import pytest
from engine.fleets import link, periodic
from pydantic import ValidationError

from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import frame_period_of, group_of, groups_of
from fleet_sim.scenario import Scenario


def fleet(cameras: int, cells: int) -> Fleet:
    return periodic(
        seed=1,
        cameras=cameras,
        cells=cells,
        duration_us=1,
        frame_period_us=7,
        encode_us=0,
        message_header_bytes=0,
        deadline_us=1,
        fixed_level=0,
        headroom_ppm=1,
        scenes=1,
        link=link(1000),
        groups=groups_of((0.5, 0.3, 0.2), (10, 20, 30), (1, 1, 1)),
    )


@pytest.mark.parametrize("cells", [1, 10, 1000])
def test_every_cell_has_nearly_its_share_of_each_group(cells: int) -> None:
    some = fleet(1000, cells)
    group_N = np.array([group_of(some, camera) for camera in range(1000)])
    assert np.abs(np.bincount(group_N) - [500, 300, 200]).max() <= 5
    for cell in range(min(cells, 10)):
        in_cell = np.bincount(group_N[cell::cells], minlength=3)
        assert np.abs(in_cell - in_cell.sum() * np.array([0.5, 0.3, 0.2])).max() <= 2


def test_a_camera_has_the_frame_period_of_its_group() -> None:
    some = fleet(30, 3)
    periods = {(int(group_of(some, camera)), int(frame_period_of(some, camera))) for camera in range(30)}
    assert periods == {(0, 10), (1, 20), (2, 30)}


def scenario(**fields: Any) -> Scenario:
    return Scenario.model_validate({"name": "x", "fleet": fields})


def test_a_group_without_a_period_has_the_fleets() -> None:
    groups = [{"name": "a", "share": 0.25}, {"name": "b", "share": 0.75, "frame_period_us": "2 s"}]
    made = fleet_of(scenario(frame_period_us="3 s", groups=groups), scenes=1)
    assert made.groups.frame_period_us_G.tolist() == [3_000_000, 2_000_000]
    assert made.groups.upto_G.tolist() == [2**30, 2**32]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{"name": "a", "share": 0.5}], "add up to 0.5"),
        ([{"name": "a", "share": 0.5}, {"name": "a", "share": 0.5}], "same name"),
    ],
)
def test_groups_that_are_not_the_fleet_are_refused(groups: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        scenario(groups=groups)
