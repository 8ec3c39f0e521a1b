"""Heads retrained, and switched, beside several encoders: each reads those it was made for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import (
    FRESH,
    HEADS,
    ForgetfulHost,
    Linear,
    Watching,
    simulated,
    tiny_scenario,
    updates_of,
    ways,
)

from fleet_sim.basics.hashing import STREAM_ROLLOUT, draw_below
from fleet_sim.cluster import member
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import Host, LocalHost
from fleet_sim.cluster.published import Published
from fleet_sim.cluster.rollout import Rollout
from fleet_sim.cluster.session import Session
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest
from fleet_sim.registry.rollout import Change
from fleet_sim.scenario import Scenario, releases_of

CAMERAS, SECONDS = 60, 16
PLAIN, SHIFTED, NEW = range(3)  # right, mostly wrong, retrained
ROLLOUT = {
    "waves": [0.3, 1],
    "wave_us": "2 s",
    "air": {"block_bytes": 500, "install_us": "100 ms"},
}


def scenario_of(rollout: Any = None, **fields: Any) -> Scenario:
    """Encoders come at 2 s and at 7 s, a retrained head in between, at 4 s; the right one at 12 s."""
    given = {
        "duration_us": SECONDS * 1_000_000,
        "audit": 0,
        "fleet": {"cameras": CAMERAS, "cells": 5, "frame_period_us": "500 ms"},
        "link": {"budget_bps": "200 kbit/s", "buffer_bytes": 300, "downlink_bps": "2 Mbit/s"},
        "rollout": rollout,
        "serving": {"head": "shifted", "servers": 2, "switches": [{"at_us": "12 s", "head": "plain"}]},
        "train": {
            "heads": [{"name": name, "kind": "svm"} for name in HEADS],
            "flip": False,
            "recipe": "e2e",
            "updates": [{"at_us": "2 s"}, {"at_us": "7 s"}],
            "retrain": [
                {"at_us": "3500 ms", "head": FRESH, "frames": 60, "labelled": 0.8, "delay_us": "200 ms"}
            ],
        },
    }
    return tiny_scenario(**given | fields)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


def run(
    scenario: Scenario, dataset: Dataset, models: Path, host: Host | None = None
) -> tuple[Session, Counts, Linear]:
    still = scenario.model_copy(update={"duration_us": 1000})
    session, _ = simulated(host or LocalHost(), still, dataset, models)
    fit = Linear(models)
    updates, retraining = updates_of(scenario, dataset, models), session.retraining(scenario, fit)
    return session, session.simulate(scenario, Watching(), updates, retraining=retraining), fit


def test_at_once_a_head_is_made_for_the_encoder_of_the_day_and_reads_no_other(
    dataset: Dataset, tmp_path: Path
) -> None:
    session, counts, fit = run(scenario_of(), dataset, tmp_path)
    assert [lessons.encoder.id for lessons in fit.lessons] == [session.deployed[1].encoder]
    assert fit.lessons[0].received.done_us_M[0] > 2_000_000  # of that encoder's frames only
    answered_VS = counts.by_second_VSC[:, :, c.ANSWERED]
    right_S = counts.by_second_VSC[:, :, c.RIGHT].sum(axis=0) / answered_VS.sum(axis=0)
    # Until 4 s the wrong head, until 7 s the retrained one; it does not read what comes then, and the wrong
    # one stands in until 12 s.
    assert right_S[:4].max() < 0.3
    assert right_S[4:7].min() > 0.5
    assert right_S[7:12].max() < 0.3
    assert right_S[12:].min() > 0.5
    assert counts.by_head_HC[NEW, 0] == answered_VS[1, 4:12].sum()
    assert counts.by_head_HC[PLAIN, 0] == answered_VS[:, 12:].sum()


def test_in_waves_a_head_is_made_for_each_encoder_that_cameras_have(dataset: Dataset, tmp_path: Path) -> None:
    scenario = scenario_of(ROLLOUT)
    session, counts, fit = run(scenario, dataset, tmp_path)
    assert [lessons.encoder.id for lessons in fit.lessons] == [v.encoder for v in session.deployed[:2]]
    canary = {n for n in range(CAMERAS) if draw_below(1, STREAM_ROLLOUT, n, 0, 1_000_000) < 300_000}
    others, first = (set(lessons.received.camera_M.tolist()) for lessons in fit.lessons)
    assert first <= canary
    assert others - canary
    # Releases go one after the other, by their times: the second encoder, the retrained head, the right one.
    names = [plan.name for plan in releases_of(scenario, [(4_000_000, "fresh")])]
    assert names == ["encoder 1", "encoder 2", "head plain", "head fresh"]
    begun_us = {n: us for n, us, what, _ in counts.events_E4.tolist() if what == Change.BEGUN}
    ended_us = {n: us for n, us, what, _ in counts.events_E4.tolist() if what == Change.THROUGH}
    assert begun_us[0] < ended_us[0] == begun_us[3] < ended_us[3] <= begun_us[1] < ended_us[1]
    answers_VHS = counts.answers_GVHS3[..., 0].sum(axis=0)
    through_s = ended_us[3] // 1_000_000
    assert answers_VHS[1, NEW, through_s + 1] > 0
    assert answers_VHS[1, SHIFTED, through_s + 1] == 0
    # The second encoder's messages are read by the head that answered before the retrained one.
    assert answers_VHS[2, NEW].sum() == 0 < answers_VHS[2, SHIFTED].sum()


def test_a_guard_compares_heads_on_the_encoders_that_both_read() -> None:
    """The retrained head is worse on encoder 0; how the other does on encoder 1 is beside the point."""
    guard = {"kind": "labels", "share": 1, "delay_us": 0}
    given = scenario_of(ROLLOUT | {"guard": guard}, serving={"head": "shifted"})
    scenario = given.model_copy(update={"train": given.train.model_copy(update={"updates": ()})})
    rollout = Rollout(scenario, fleet_of(scenario, scenes=40), versions=2)
    published = Published([0, 0], [(), (1,)])
    rollout.decide(0, published)
    rollout.take_up(NEW, [0], 4_000_000)
    rollout.decide(4_000_000, published)
    rollout.hear(np.array([[0, NEW, 4, 200, 120], [0, SHIFTED, 4, 200, 180], [1, SHIFTED, 4, 2000, 100]]))
    rollout.decide(5_000_000, published)
    assert [Change(what).name for _, _, what, _ in rollout.events_E4().tolist()] == ["BEGUN", "BACK_WORSE"]


@pytest.mark.parametrize("rollout", [None, ROLLOUT], ids=["at once", "in waves"])
@pytest.mark.parametrize(("shards", "epoch_us", "mode"), [(1, 16_000_000, "bank"), (3, 700_000, "live")])
def test_shards_mode_and_epoch_change_nothing(
    dataset: Dataset, tmp_path: Path, shards: int, epoch_us: int, mode: str, rollout: Any
) -> None:
    found = []
    for number, way in enumerate(ways(shards, epoch_us, mode)):
        scenario = scenario_of(rollout, **way)
        _, counts, fit = run(scenario, dataset, tmp_path / str(number))
        found.append((digest({}, [counts]), [lessons.received.digest() for lessons in fit.lessons]))
    assert found[0] == found[1]


def test_members_that_forget_everything_on_the_way_change_nothing(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "PAUSE_S", 0.0)
    methods = ("step", "received", "take_up", "head_part", "add_answers")
    found = []
    for number, at in enumerate([set[int](), set(range(5, 400, 11))]):
        host = ForgetfulHost(at, methods)
        session, counts, fit = run(scenario_of(ROLLOUT), dataset, tmp_path / str(number), host)
        found.append((digest({}, [counts]), [lessons.received.digest() for lessons in fit.lessons]))
        assert (session.restarts >= 5) == bool(at)
    assert found[0] == found[1]
