"""Base stations that allocate, in a whole run: the same however it is run, told in time, and kept to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import HEADS, simulated, tiny_scenario

from fleet_sim.cluster.calibration import curves_of
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.control.hull import hulls_of
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.air import TAKEN_UP
from fleet_sim.engine.allocating import allocate_cells, hear, told_millibits
from fleet_sim.engine.cameras import Cameras, new_cameras
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.installs import take_up
from fleet_sim.network.downlink import CLOSED
from fleet_sim.network.uplink import Uplinks
from fleet_sim.scenario import Scenario

GATE = {"name": "gate", "share": 0.5, "importance": 4, "sees": [{"classes": {"0": 1, "1": 2}}]}
YARD = {"name": "yard", "share": 0.5, "frame_period_us": "300 ms", "link": {"rate": 0.5}}
GROUPS = [GATE, {**YARD, "sees": [{"look": "fog"}]}]
LINK = {"budget_bps": "3 kbit/s", "buffer_bytes": 300, "downlink_bps": "10 kbit/s"}


def scenario_of(allocation: str, **fields: Any) -> Scenario:
    control = {"allocation": allocation, "floor": 0.3, "period_us": "700 ms"}
    fleet = {"cameras": 30, "cells": 5, "frame_period_us": "500 ms", "groups": GROUPS}
    return tiny_scenario(**{"control": control, "fleet": fleet, "link": LINK, **fields})


def counts_of(folder: Path, allocation: str, **fields: Any) -> Counts:
    scenario = scenario_of(allocation, **fields)
    host = LocalHost()
    try:
        dataset = load(scenario.data, scenario.seed)
        return simulated(host, scenario, dataset, folder / "models", update_at_us=2_000_000)[1]
    finally:
        host.close()


@pytest.mark.parametrize("allocation", ["max_min", "marginal"])
def test_shards_epochs_and_mode_change_nothing(tmp_path: Path, allocation: str) -> None:
    whole = counts_of(tmp_path / "whole", allocation, cluster={"backend": "local", "shards": 1})
    assert whole.total_C[c.DROPPED_SKIPPED] > 20
    assert whole.by_second_VSC[1].any()  # an update is taken up on the way
    others = (
        {"cluster": {"backend": "local", "shards": 3, "epoch_us": "313 ms"}},
        {"cluster": {"backend": "local", "shards": 2, "epoch_us": "1400 ms"}, "mode": "live"},
    )
    for place, fields in enumerate(others):
        again = counts_of(tmp_path / str(place), allocation, **fields)
        for name in ("by_second_VSC", "groups_GSC", "latency_VB", "wire_bits_by_cell", "in_flight"):
            np.testing.assert_array_equal(getattr(again, name), getattr(whole, name), err_msg=name)


TRAVELLING: dict[str, Any] = {
    "link": {**LINK, "downlink_bps": "300 kbit/s"},
    "rollout": {
        "waves": [0.3, 1],
        "wave_us": "1 s",
        "guard": {"kind": "none"},
        "air": {"install_us": "200 ms"},
    },
    "train": {
        "heads": [{"name": name, "kind": "svm"} for name in HEADS],
        "flip": False,
        "recipe": "e2e",
        "updates": [{"at_us": 2_000_000}],
    },
}


@pytest.mark.parametrize("allocation", ["max_min", "marginal"])
def test_so_it_is_where_encoders_travel(tmp_path: Path, allocation: str) -> None:
    whole = counts_of(tmp_path / "whole", allocation, **TRAVELLING)
    taken_up_VS = whole.air_VGSQ[..., TAKEN_UP].sum(axis=1)
    assert np.count_nonzero(taken_up_VS[1]) > 2  # cameras of a cell have one encoder or the other for a while
    cluster = {"backend": "local", "shards": 3, "epoch_us": "313 ms"}
    for place, mode in enumerate(["bank", "live"]):
        again = counts_of(tmp_path / str(place), allocation, mode=mode, cluster=cluster, **TRAVELLING)
        assert digest({}, [again]) == digest({}, [whole])


def two_groups() -> Fleet:
    """A cell of 600 bit/s with six cameras of two groups, a frame a second."""
    groups = [{"name": "gate", "share": 0.5}, {"name": "yard", "share": 0.5}]
    link = {**LINK, "budget_bps": "600 bit/s", "propagation_us": "10 ms"}
    scenario = scenario_of("max_min", fleet={"cameras": 6, "cells": 1, "groups": groups}, link=link)
    return fleet_of(scenario, scenes=5)._replace(headroom_ppm=1_000_000)


Cell = tuple[Cameras, Uplinks]
FROM_THE_START = np.zeros(1, np.int64)


def plans(of: Cell, fleet: Fleet, now_us: int) -> list[int]:
    """What each camera of a cell plans with, by number, in millibits."""
    rows = of[1].cameras["camera"].tolist()
    return [
        int(told_millibits(of[0], fleet, FROM_THE_START, 0, row, camera, now_us)[0])
        for row, camera in enumerate(rows)
    ]


def test_cameras_heed_what_they_are_told_when_the_message_is_there() -> None:
    fleet = two_groups()
    hulls = hulls_of(np.array([[[50], [200]]]), np.array([[[0.5], [0.5]]]))
    of = new_cameras(fleet, np.arange(1), (), 1)[:2]
    allocate_cells(*of, fleet, hulls, FROM_THE_START, 700_000)
    # 28 bytes of headers and 8 a group at 10 kbit/s, and 10 ms each way.
    after_us = 20_000 + 8 * (28 + 16) * 100
    assert fleet.allocation.told_after_us == after_us
    assert plans(of, fleet, 700_000 + after_us - 1) == [100_000] * 6  # equal parts
    heeded = plans(of, fleet, 700_000 + after_us)
    assert sorted(heeded) == [50_000] * 4 + [200_000] * 2  # what the gate leaves is the yard's


def test_a_plan_buys_fewer_messages_of_those_that_take_more_than_expected() -> None:
    fleet = two_groups()
    hulls = hulls_of(np.array([[[50], [400]]]), np.array([[[0.5], [0.5]]]))
    of = new_cameras(fleet, np.arange(1), (), 1)[:2]
    for _ in range(1000):
        for camera in range(6):
            hear(
                of[0].told_CS,
                fleet,
                hulls,
                0,
                camera,
                0,
                0,
                2 * hulls.bits_VGL[0, group_of(fleet, camera), 0],
            )
    allocate_cells(*of, fleet, hulls, FROM_THE_START, 0)
    # Of 600 bit/s each has 100 on air, for a message of 50 bits that takes 100.
    assert of[0].told_CS["next_air_millibits"].ravel().tolist() == pytest.approx([100_000] * 2, rel=0.02)


def test_each_camera_is_told_by_the_encoder_that_it_has() -> None:
    fleet = two_groups()
    fleet = fleet._replace(downlink=CLOSED._replace(bps=1000))
    hulls = hulls_of(np.array([[[50]] * 2, [[200]] * 2]), np.array([[[0.5]] * 2, [[0.9]] * 2]))
    of = new_cameras(fleet, np.arange(1), (), 1, versions=2)[:2]
    for row, at_us in ((1, 600_000), (4, 700_000), (5, 700_001)):
        take_up(of[0], row, 1, at_us)
    allocate_cells(*of, fleet, hulls, FROM_THE_START, 700_000)
    # Two need 200 bits, four have no use for more than 50; the sixth camera is told as what it was then.
    after_us = fleet.allocation.told_after_us
    assert plans(of, fleet, 700_000 + after_us) == [50_000, 200_000, 50_000, 50_000, 200_000, 50_000]
    allocate_cells(*of, fleet, hulls, FROM_THE_START, 1_400_000)
    assert plans(of, fleet, 1_400_000 + after_us - 1)[5] == 50_000
    assert plans(of, fleet, 1_400_000 + after_us) == [50_000, 150_000, 50_000, 50_000, 150_000, 150_000]


def test_curves_are_means_over_the_mix_that_a_group_sees() -> None:
    payload_LF = np.array([[1, 3, 10, 20]])
    right_HLF = np.array([[[True, False, True, True]]])
    labels_F = np.array([0, 0, 1, 2])
    curves = curves_of(payload_LF, right_HLF, labels_F, np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(curves.payload_bits_GL, [[8 * (2 + 10) / 2], [8 * 20]])
    np.testing.assert_allclose(curves.right_GHL, [[[0.75]], [[1.0]]])
