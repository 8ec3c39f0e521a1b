"""Encoders that travel inside a run: waves, a guard, failed installs, however work is divided."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import HEADS, Watching, publish_untrained, simulated, tiny_scenario, ways

from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.released import Deployed, Update
from fleet_sim.cluster.session import Session
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.air import BITS, FAILED, LEFT, TAKEN_UP
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest
from fleet_sim.registry.rollout import Change
from fleet_sim.report.seeds import together
from fleet_sim.report.travels import travel_rows
from fleet_sim.scenario import Scenario

CAMERAS, SECONDS, AT_US = 60, 20, 2_000_000
AIR = {"block_bytes": 500, "install_us": "700 ms", "share": 0.5}


def scenario_of(air: dict[str, Any] | None = None, **fields: Any) -> Scenario:
    """A version of some 5 kB to twelve cameras a cell at 100 kbit/s: half a second a camera."""
    guard = fields.pop("guard", {"kind": "none"})
    given = {
        "duration_us": SECONDS * 1_000_000,
        "audit": 0,
        "fleet": {"cameras": CAMERAS, "cells": 5, "frame_period_us": "500 ms"},
        "link": {"budget_bps": "200 kbit/s", "buffer_bytes": 300, "downlink_bps": "200 kbit/s"},
        "rollout": {
            "waves": [0.2, 1], "wave_us": "4 s", "guard": guard, "air": {**AIR, **(air or {})},
        },
        "train": {
            "heads": [{"name": name, "kind": "svm"} for name in HEADS],
            "flip": False,
            "recipe": "e2e",
            "updates": [{"at_us": AT_US}],
        },
    }  # fmt: skip
    return tiny_scenario(**given | fields)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


def run(scenario: Scenario, dataset: Dataset, models: Path, bad: bool = False) -> tuple[Session, Counts]:
    """The scenario with an update from 2 s on; with a bad one "plain" is mostly wrong."""
    still = scenario.model_copy(update={"duration_us": 1000})
    session, _ = simulated(LocalHost(), still, dataset, models)
    second = publish_untrained(scenario, dataset, models, weights_seed=2)
    if bad:
        heads = second.heads | {"plain": second.heads["shifted"]}
        second = Deployed(second.encoder, heads)
    return session, session.simulate(scenario, Watching(), [Update(AT_US, lambda: second)])


def events(counts: Counts) -> list[tuple[float, str]]:
    return [(us / 1e6, Change(what).name) for _, us, what, _ in counts.events_E4.tolist()]


def cameras_with(counts: Counts, version: int) -> np.ndarray:
    """(S,) at the end of each second."""
    air_SQ = counts.air_VGSQ[version].sum(axis=0)
    first = CAMERAS if version == 0 else 0
    with_it: np.ndarray = first + np.cumsum(air_SQ[:, TAKEN_UP] - air_SQ[:, LEFT])
    return with_it


def test_waves_wait_for_the_link_and_frames_are_coded_by_what_a_camera_has(
    dataset: Dataset, tmp_path: Path
) -> None:
    session, counts = run(scenario_of(), dataset, tmp_path)
    assert [what for _, what in events(counts)] == ["BEGUN", "WAVE", "THROUGH"]
    with_it_S = cameras_with(counts, 1)
    assert (with_it_S + cameras_with(counts, 0) == CAMERAS).all()
    assert with_it_S[1] == 0
    assert with_it_S[-1] == CAMERAS
    # A camera takes two frames a second, of which each is offered under its version.
    offered_S = counts.by_second_VSC[1, :, c.OFFERED]
    for second in range(2, SECONDS):
        before, after = with_it_S[second - 1], with_it_S[second]
        assert 2 * before <= offered_S[second] <= 2 * after
    blocks = -(-session.packed[0]["delta"][0] // 500)
    wanted_bits = CAMERAS * 8 * (session.packed[0]["delta"][0] + 28 * blocks)
    assert counts.air_VGSQ[1, ..., BITS].sum() == wanted_bits


def test_the_whole_takes_longer_than_a_delta_only_if_it_is_larger(dataset: Dataset, tmp_path: Path) -> None:
    for send in ("delta", "whole"):
        session, counts = run(scenario_of({"send": send}), dataset, tmp_path / send)
        blocks = -(-session.packed[0][send][0] // 500)
        assert counts.air_VGSQ[1, ..., BITS].sum() == CAMERAS * 8 * (session.packed[0][send][0] + 28 * blocks)


LABELS = {"kind": "labels", "share": 1, "delay_us": "1 s"}


def test_a_bad_encoder_is_taken_back_by_a_command(dataset: Dataset, tmp_path: Path) -> None:
    _, counts = run(scenario_of(guard=LABELS, rollout={
        "waves": [0.3, 1], "wave_us": "30 s", "guard": LABELS, "air": AIR,
    }), dataset, tmp_path, bad=True)  # fmt: skip
    assert [what for _, what in events(counts)] == ["BEGUN", "BACK_WORSE"]
    with_it_S = cameras_with(counts, 1)
    back_s = int(events(counts)[1][0])
    assert 0 < with_it_S.max() < CAMERAS / 2
    assert (with_it_S[back_s + 1 :] == 0).all()  # a command of 124 bytes takes 10 ms a camera


def test_failed_installs_take_a_release_back(dataset: Dataset, tmp_path: Path) -> None:
    failing = scenario_of({"install_failure": 0.5, "most_failed": 0.2})
    _, counts = run(failing, dataset, tmp_path)
    assert events(counts)[-1][1] == "BACK_FAILED"
    assert counts.air_VGSQ[1, ..., FAILED].sum() > 0
    assert cameras_with(counts, 1)[-1] == 0
    _, counts = run(scenario_of({"install_failure": 0.5, "most_failed": 1}), dataset, tmp_path / "borne")
    assert events(counts)[-1][1] == "THROUGH"
    failed = counts.air_VGSQ[1, ..., FAILED].sum()
    assert cameras_with(counts, 1)[-1] == CAMERAS - failed


def test_seeds_together_say_how_many_cameras_took_it_up(dataset: Dataset, tmp_path: Path) -> None:
    session, counts = run(scenario_of({"install_failure": 0.2, "most_failed": 1}), dataset, tmp_path)
    once = travel_rows(counts, session.fleet_of(scenario_of()), "delta")
    twice: Any = together([{"cameras": CAMERAS, "air": once}] * 2, [1, 2])["air"]
    assert twice["1"]["sent"] == "delta"
    assert twice["1"]["taken_up"] == twice["1"]["at_end"] == 2 * once["1"]["taken_up"]
    assert 0 < once["1"]["taken_up"] < CAMERAS
    assert twice["1"]["last_s"] == once["1"]["last_s"]


@pytest.mark.parametrize(("shards", "epoch_us", "mode"), [(1, 20_000_000, "bank"), (3, 700_000, "live")])
def test_shards_mode_and_epoch_change_nothing(
    dataset: Dataset, tmp_path: Path, shards: int, epoch_us: int, mode: str
) -> None:
    found = []
    air = {"block_loss": 0.1, "install_failure": 0.1, "most_failed": 1}
    window = {"every_us": "3 s", "open_us": "1200 ms"}
    for number, way in enumerate(ways(shards, epoch_us, mode)):
        scenario = scenario_of(air | {"window": window}, guard=LABELS, **way)
        found.append(run(scenario, dataset, tmp_path / str(number))[1])
    assert events(found[0]) == events(found[1]) != []
    assert digest({}, found[:1]) == digest({}, found[1:])


@pytest.mark.parametrize(
    ("shards", "epoch_us", "mode", "replicas"), [(1, 20_000_000, "bank", 2), (3, 700_000, "live", 1)]
)
def test_cameras_left_behind_are_counted_once_their_decoders_are_gone(
    dataset: Dataset, tmp_path: Path, shards: int, epoch_us: int, mode: str, replicas: int
) -> None:
    """Cameras whose install failed send with the first encoder: 2 s after the release nobody reads it."""
    air = {"install_failure": 0.3, "most_failed": 1, "keep_us": "2 s"}
    found = []
    for number, way in enumerate(ways(shards, epoch_us, mode)):
        serving = {"head": "plain", "servers": 2, "replicas": replicas}
        scenario = scenario_of(air, **way, serving=serving)
        found.append(run(scenario, dataset, tmp_path / str(number))[1])
    assert digest({}, found[:1]) == digest({}, found[1:])
    through_s = int(events(found[0])[-1][0])
    dropped_S = found[0].by_second_VSC[0, :, c.COLUMNS.index("dropped_incompatible")]
    left_behind = found[0].air_VGSQ[1, ..., FAILED].sum()
    assert left_behind > 0
    assert dropped_S[: through_s + 2].sum() == 0
    assert (dropped_S[through_s + 3 : -1] == 2 * left_behind).all()  # two frames a second each
    assert found[0].by_second_VSC[1, :, c.COLUMNS.index("dropped_incompatible")].sum() == 0
