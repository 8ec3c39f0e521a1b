"""Cameras have on air what they were told, and at least their floor, whatever their frames take."""

from typing import Any

import numpy as np
import pytest
from small_fleet import tiny_scenario

from fleet_sim.camera.energy import Did
from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.calibration import Curves
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import groups_of_cameras
from fleet_sim.engine.orders import Known

SCENES, LEVELS, FLOOR, SECONDS = 60, 4, 0.4, 120
GROUPS = [
    {"name": "gate", "share": 0.4, "importance": 3},
    {"name": "street", "share": 0.3, "frame_period_us": "700 ms"},
    {"name": "field", "share": 0.3, "frame_period_us": "2 s", "link": {"rate": 0.5}},
]
EXPECTED_BYTES_L = np.array([20, 24, 32, 44])
LARGEST_BITS = 2 * 8 * 90  # of a message with its headers, at half the rate


def fleet_at(allocation: str, **link: Any) -> Fleet:
    scenario = tiny_scenario(
        duration_us=SECONDS * 1_000_000,
        control={"allocation": allocation, "floor": FLOOR},
        fleet={"cameras": 60, "cells": 3, "frame_period_us": "1 s", "groups": GROUPS},
        link={"budget_bps": "2500 bit/s", "header_bytes": 4, "buffer_bytes": 400, "queue": "expired", **link},
        serving={"head": "plain", "deadline_us": "800 ms"},
    )
    return fleet_of(scenario, SCENES)._replace(metered=True)


def on_air_R(fleet: Fleet, takes: float) -> np.ndarray:
    """Bits that each camera had on air, at the cell's rate; frames take `takes` times what is expected."""
    draws = np.random.default_rng(1).uniform(0.7, 1.3, (LEVELS, SCENES))
    payload_bytes_LF = np.rint(EXPECTED_BYTES_L[:, None] * takes * draws).astype(np.int32)
    part = BankPart(
        payload_bytes_LF,
        1000 * payload_bytes_LF,
        np.ones((1, LEVELS, SCENES), np.bool_),
        np.zeros((LEVELS, SCENES), np.bool_),
    )
    right_L, groups = np.array([0.5, 0.7, 0.8, 0.85]), fleet.counted_groups
    curves = Curves(np.tile(8.0 * EXPECTED_BYTES_L, (groups, 1)), np.tile(right_L, (groups, 1, 1)))
    shard, known = CameraShard(0, 1), Known(np.zeros(1, np.int64))
    shard.add_version(8 * EXPECTED_BYTES_L, part, curves=curves)
    shard.begin(Point(fleet, (), versions=1, heads=1, live=False, servers_of_member=(1,)))
    shard.step(fleet.duration_us, known, False)
    wire_bits_R = shard.finish(known).did_R4[:, Did._fields.index("wire_bits")]
    return wire_bits_R * 1e6 / fleet.groups.rate_ppm_G[groups_of_cameras(fleet, np.arange(fleet.cameras))]


LOSSY = {"loss": {"kind": "bernoulli", "p": 0.1}, "retries": 1}


@pytest.mark.parametrize(("takes", "link"), [(1.0, {}), (0.8, {}), (1.4, {}), (1.0, LOSSY)])
def test_every_camera_has_its_floor_on_air(takes: float, link: dict[str, Any]) -> None:
    fleet = fleet_at("marginal", **link)
    part_bps = fleet.link.budget_bps * fleet.headroom_ppm / 1e6 * fleet.cells / fleet.cameras
    bits_R = on_air_R(fleet, takes)
    assert bits_R.min() >= FLOOR * part_bps * SECONDS
    at_floor_R = bits_R < FLOOR * part_bps * SECONDS + 2 * LARGEST_BITS
    assert at_floor_R.sum() > fleet.cameras / 4  # the floor is what these get


def test_cameras_alike_have_alike_on_air_whatever_their_own_frames_take() -> None:
    fleet = fleet_at("max_min")
    bits_R = on_air_R(fleet, takes=1.0)
    group_R = groups_of_cameras(fleet, np.arange(fleet.cameras))
    for cell in range(fleet.cells):
        for group in range(fleet.counted_groups):
            alike = bits_R[(np.arange(fleet.cameras) % fleet.cells == cell) & (group_R == group)]
            assert alike.max() - alike.min() <= 2 * LARGEST_BITS
