"""From what groups of cameras see to the scenes of a run."""

from typing import Any

import numpy as np
import pytest
from small_fleet import simulated, tiny_scenario

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.scenes import Scenes, scenes_of
from fleet_sim.data import DataSpec, load
from fleet_sim.engine import counts as c
from fleet_sim.engine.views import scene_of
from fleet_sim.scenario import Scenario
from fleet_sim.serving.watched import EXCESS_CENTIBITS, FRAMES

FOG = {"from_us": "2 s", "ramp_us": "2 s", "look": "fog", "severity": 4}
UNREAD = {"source": "npz", "path": "images.npz"}


def fleet_that_sees(*sees: dict[str, Any], **parts: Any) -> Scenario:
    groups = [{"name": "a", "share": 0.5, "sees": list(sees)}, {"name": "b", "share": 0.5}]
    fleet = {"cameras": 30, "cells": 5, "frame_period_us": "500 ms", "groups": groups}
    return tiny_scenario(fleet=fleet, **parts)


def scenes(scenario: Scenario) -> Scenes:
    return scenes_of(load(scenario.data, scenario.seed), scenario)


def test_every_look_is_there_once_with_the_same_labels() -> None:
    night = {"from_us": "5 s", "look": "night", "severity": 2}
    found = scenes(fleet_that_sees({}, FOG, night, {**FOG, "from_us": "9 s"}))
    assert len(found.labels_F) == 3 * found.images == len(found.images_FHWC)
    np.testing.assert_array_equal(
        found.labels_F.reshape(3, -1), np.tile(found.labels_F[: found.images], (3, 1))
    )


def test_a_group_sees_the_classes_of_its_mix_in_the_look_of_its_time() -> None:
    scenario = fleet_that_sees({"classes": {"3": 3, "8": 1}}, FOG)
    dataset = load(scenario.data, scenario.seed)
    found = scenes_of(dataset, scenario)
    fleet = fleet_of(scenario, found.images, found.views)
    one = next(camera for camera in range(30) if scene_of(fleet, camera, 0, 10**7) >= found.images)
    first = np.array([scene_of(fleet, one, frame, 0) for frame in range(4000)])
    names = np.array(dataset.class_names)[found.labels_F[first]]
    assert set(names) == {"3", "8"}
    assert (names == "3").mean() == pytest.approx(0.75, abs=0.03)
    half_over = np.array([scene_of(fleet, one, frame, 3_000_000) for frame in range(4000)])
    assert (half_over >= found.images).mean() == pytest.approx(0.5, abs=0.03)
    later = np.array([scene_of(fleet, one, frame, 5_000_000) for frame in range(4000)])
    assert (later >= found.images).all()


def test_a_class_that_is_not_there_is_refused_by_its_place() -> None:
    with pytest.raises(UserError, match=r"fleet\.groups\.0\.sees\.0\.classes: the images have no class '12'"):
        # Of a file only its images tell; those of other sources are known before (test_errors).
        scenes_of(load(DataSpec(), 1), fleet_that_sees({"classes": {"12": 1}}, data=UNREAD))


@pytest.mark.parametrize(("mode", "shards", "epoch_us"), [("bank", 1, 6_000_000), ("live", 2, 1_234_567)])
def test_what_is_seen_and_how_it_is_answered_does_not_depend_on_how_it_is_run(
    mode: str, shards: int, epoch_us: int, tmp_path: Any
) -> None:
    counted = []
    serving = {"head": "plain", "servers": 2, "alarm": {"kind": "bits", "window_us": "1 s"}}
    cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
    for settings in ({}, {"mode": mode, "cluster": cluster}):
        fields = {**fleet_that_sees({}, FOG).model_dump(), "serving": serving, **settings}
        scenario = Scenario.model_validate(fields)
        host = LocalHost()
        folder = tmp_path / str(len(counted))
        _, counts = simulated(host, scenario, load(scenario.data, scenario.seed), folder)
        host.close()
        counted.append(counts)
    np.testing.assert_array_equal(counted[0].by_second_VSC, counted[1].by_second_VSC)
    np.testing.assert_array_equal(counted[0].groups_GSC, counted[1].groups_GSC)
    np.testing.assert_array_equal(counted[0].watched_GWQ, counted[1].watched_GWQ)
    assert (counted[0].groups_GSC.sum(axis=(0, 1)) == counted[0].total_C).all()
    right_GS = counted[0].groups_GSC[:, :, c.RIGHT] / counted[0].groups_GSC[:, :, c.ANSWERED]
    excess_GW = counted[0].watched_GWQ[:, :, EXCESS_CENTIBITS] / counted[0].watched_GWQ[:, :, FRAMES]
    assert abs(excess_GW[0, 5]) > 3 * abs(excess_GW[1, 5])
    assert right_GS[0, 5] < right_GS[1, 5]  # of the two groups it is the first that sees fog
