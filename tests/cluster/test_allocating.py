"""Base stations that allocate, in a whole run: the same however it is run, told in time, and kept to."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import simulated, tiny_scenario

from fleet_sim.cluster.calibration import curves_of
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.control.hull import hulls_of
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.allocating import allocate_cells, hear, told_bits
from fleet_sim.engine.cameras import new_cameras
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet
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


def two_groups() -> Fleet:
    """A cell of 600 bit/s with six cameras of two groups, a frame a second."""
    groups = [{"name": "gate", "share": 0.5}, {"name": "yard", "share": 0.5}]
    link = {**LINK, "budget_bps": "600 bit/s", "propagation_us": "10 ms"}
    scenario = scenario_of("max_min", fleet={"cameras": 6, "cells": 1, "groups": groups}, link=link)
    return fleet_of(scenario, scenes=5)._replace(headroom_ppm=1_000_000)


def test_cameras_heed_what_they_are_told_when_the_message_is_there() -> None:
    fleet = two_groups()
    hulls = hulls_of(np.array([[[50], [200]]]), np.array([[[0.5], [0.5]]]))
    told_CG = new_cameras(fleet, np.arange(1), (), 1)[0].told_CG
    assert told_CG["cameras"].tolist() == [[4, 2]]
    allocate_cells(told_CG, fleet, hulls, 0, 700_000)
    # 28 bytes of headers and 4 a group at 10 kbit/s, and 10 ms each way.
    after_us = 20_000 + 8 * (28 + 8) * 100
    assert fleet.allocation.told_after_us == after_us

    def plans(now_us: int) -> list[int]:
        return sorted(int(told_bits(told_CG, fleet, 0, camera, now_us)) for camera in range(6))

    assert plans(700_000 + after_us - 1) == [100] * 6  # equal parts
    assert plans(700_000 + after_us) == [50] * 4 + [200] * 2  # what the gate leaves is the yard's


def test_what_takes_more_bits_than_expected_is_charged_for_it() -> None:
    fleet = two_groups()
    hulls = hulls_of(np.array([[[400], [400]]]), np.array([[[0.5], [0.5]]]))
    told_CG = new_cameras(fleet, np.arange(1), (), 1)[0].told_CG
    for _ in range(1000):
        for camera in range(6):
            hear(told_CG, fleet, hulls, 0, camera, 0, 0, 800)
    allocate_cells(told_CG, fleet, hulls, 0, 0)
    # Of 600 bit/s each has 100, and all that was heard was twice what was expected.
    assert told_CG["next_plan_bits"].ravel().tolist() == pytest.approx([50, 50], abs=1)


def test_curves_are_means_over_the_mix_that_a_group_sees() -> None:
    payload_LF = np.array([[1, 3, 10, 20]])
    right_HLF = np.array([[[True, False, True, True]]])
    labels_F = np.array([0, 0, 1, 2])
    curves = curves_of(payload_LF, right_HLF, labels_F, np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(curves.payload_bits_GL, [[8 * (2 + 10) / 2], [8 * 20]])
    np.testing.assert_allclose(curves.right_GHL, [[[0.75]], [[1.0]]])
