"""A head is retrained on what servers received: the same, however work is divided."""

from pathlib import Path

import numpy as np
import pytest
from small_fleet import FRESH, ForgetfulHost, Linear, simulated, tiny_scenario

from fleet_sim.cluster import member
from fleet_sim.cluster.host import LocalHost
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest
from fleet_sim.scenario import Scenario
from fleet_sim.serving.alarm import first_alarms
from fleet_sim.serving.alarm_spec import BitsAlarmSpec

AT_3_S = {"at_us": "2.5 s", "head": FRESH, "frames": 60, "labelled": 0.8, "delay_us": "500 ms"}
ROOM = {"budget_bps": "60 kbit/s"}
STREET = {"name": "street", "share": 0.5, "sees": [{}, {"from_us": "5 s", "look": "fog", "severity": 5}]}
# Cells of 7 cameras and of 6, which have room for another level.
UNEVEN = {"cameras": 33, "cells": 5, "frame_period_us": "500 ms"}
NARROW = {"budget_bps": 3800, "buffer_bytes": 300}
HALL = {"name": "hall", "share": 0.5}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


def scenario(**fields: object) -> Scenario:
    retrain = fields.pop("retrain", AT_3_S)
    train = {"heads": [{"name": name, "kind": "svm"} for name in ("plain", "shifted")], "flip": False}
    fields = {"link": ROOM, "serving": {"head": "shifted", "servers": 2}} | fields
    return tiny_scenario(train=train | {"retrain": [retrain]}, **fields)


def retrained(scenario: Scenario, dataset: Dataset, models: Path) -> tuple[Linear, Counts]:
    fit = Linear(models)
    return fit, simulated(LocalHost(), scenario, dataset, models, fit=fit)[1]


@pytest.fixture(scope="module")
def reference(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Linear, Counts]:
    return retrained(scenario(), dataset, tmp_path_factory.mktemp("reference"))


def test_it_answers_from_the_next_boundary_on_and_better(reference: tuple[Linear, Counts]) -> None:
    _, counts = reference
    right_S = counts.by_second_VSC[0, :, c.RIGHT] / counts.by_second_VSC[0, :, c.ANSWERED]
    assert right_S[:3].max() < 0.3  # the head that was there calls every class by its neighbour's name
    assert right_S[3:].min() > 0.5
    assert counts.by_head_HC[2, 0] == counts.by_second_VSC[0, 3:, c.ANSWERED].sum()


def test_it_learns_from_the_last_frames_whose_labels_are_in(reference: tuple[Linear, Counts]) -> None:
    received = reference[0].lessons[0].received
    assert len(received.label_M) == 60
    assert (np.diff(received.done_us_M) >= 0).all()
    # Of 60 frames a second four in five are labelled: 60 of them take 1.25 s.
    assert 1_000_000 < received.done_us_M[0] < received.done_us_M[-1] <= 2_500_000


@pytest.mark.parametrize(("shards", "epoch_us"), [(1, 6_000_000), (7, 400_000)])
@pytest.mark.parametrize("mode", ["bank", "live"])
def test_shards_epoch_and_mode_change_neither_lessons_nor_digest(
    dataset: Dataset,
    reference: tuple[Linear, Counts],
    tmp_path: Path,
    shards: int,
    epoch_us: int,
    mode: str,
) -> None:
    cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
    fit, counts = retrained(scenario(mode=mode, cluster=cluster), dataset, tmp_path)
    assert [lessons.received.digest() for lessons in fit.lessons] == [
        lessons.received.digest() for lessons in reference[0].lessons
    ]
    assert digest({}, [counts]) == digest({}, [reference[1]])
    assert (counts.by_head_HC == reference[1].by_head_HC).all()


def test_replicas_and_a_narrow_link_give_latents_of_several_levels(dataset: Dataset, tmp_path: Path) -> None:
    serving = {"head": "shifted", "servers": 2, "replicas": 2}
    found = []
    for number, mode in enumerate(("bank", "live")):
        narrow = scenario(mode=mode, serving=serving, fleet=UNEVEN, link=NARROW)
        fit, counts = retrained(narrow, dataset, tmp_path / str(number))
        received = fit.lessons[0].received
        found.append((received.digest(), digest({}, [counts])))
    assert found[0] == found[1]
    assert len(set(received.level_M)) > 1
    for level, kept in enumerate((1, 4, 16)):
        assert not received.latent_MN[received.level_M == level, kept:].any()
    assert counts.by_head_HC[2, 0] > 0


def test_some_labels_are_wrong(dataset: Dataset, reference: tuple[Linear, Counts], tmp_path: Path) -> None:
    fit, _ = retrained(scenario(retrain=AT_3_S | {"wrong": 0.3}), dataset, tmp_path)
    wrong, right = fit.lessons[0].received, reference[0].lessons[0].received
    assert (wrong.latent_MN == right.latent_MN).all()
    assert 8 <= (wrong.label_M != right.label_M).sum() <= 28  # 18 of 60 in the mean


def alarmed(dataset: Dataset, models: Path, **fields: object) -> tuple[Linear, Counts]:
    drifting = scenario(
        duration_us="12 s",
        fleet={"cameras": 30, "cells": 5, "frame_period_us": "500 ms", "groups": [STREET, HALL]},
        serving={"head": "plain", "servers": 2, "alarm": {"kind": "bits", "window_us": "1 s"}},
        retrain=AT_3_S | {"at_us": None, "after_alarm_us": "2.5 s"},
        **fields,
    )
    return retrained(drifting, dataset, models)


def test_an_alarm_begins_it_once_at_the_same_time_however_work_is_divided(
    dataset: Dataset, tmp_path: Path
) -> None:
    found = []
    for number, (shards, epoch_us, mode) in enumerate(((1, 12_000_000, "bank"), (3, 700_000, "live"))):
        cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
        fit, counts = alarmed(dataset, tmp_path / str(number), cluster=cluster, mode=mode)
        (lessons,) = fit.lessons
        found.append((lessons.received.digest(), digest({}, [counts]), counts.by_head_HC.tolist()))
    assert found[0] == found[1]
    spec = BitsAlarmSpec(kind="bits", window_us=1_000_000)
    sounded = [window for of_group in counts.watched_GWQ for window in first_alarms(of_group, spec).values()]
    window = min(window for window in sounded if window is not None)
    assert window in (5, 6)  # fog comes at 5 s
    from_s = window + 1 + 3  # that window's end, and 2.5 s later the next boundary
    assert counts.by_head_HC[2, 0] == counts.by_second_VSC[0, from_s:, c.ANSWERED].sum() > 0
    assert lessons.received.done_us_M[0] > 5_000_000


def test_without_an_alarm_nothing_is_retrained(dataset: Dataset, tmp_path: Path) -> None:
    calm = scenario(
        serving={"head": "plain", "servers": 2, "alarm": {"kind": "bits", "window_us": "1 s"}},
        retrain=AT_3_S | {"at_us": None, "after_alarm_us": 0},
    )
    fit, counts = retrained(calm, dataset, tmp_path)
    assert fit.lessons == []
    assert counts.by_head_HC[2, 0] == 0


def test_too_few_labels_are_an_outcome_of_the_point(dataset: Dataset, tmp_path: Path) -> None:
    seldom = scenario(retrain=AT_3_S | {"labelled": 0.01}, rollout={"waves": [0.3, 1.0], "wave_us": "1 s"})
    fit, counts = retrained(seldom, dataset, tmp_path / "seldom")
    assert fit.lessons == []
    assert counts.by_head_HC[2, 0] == 0
    without = seldom.model_copy(update={"train": seldom.train.model_copy(update={"retrain": ()})})
    _, undisturbed = retrained(without, dataset, tmp_path / "without")
    assert (counts.by_second_VSC == undisturbed.by_second_VSC).all()


@pytest.mark.parametrize("mode", ["bank", "live"])
def test_members_that_forget_everything_on_the_way_change_nothing(
    dataset: Dataset,
    reference: tuple[Linear, Counts],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    monkeypatch.setattr(member, "PAUSE_S", 0.0)
    methods = ("step", "received", "take_up", "head_part", "add_answers")
    fit, host = Linear(tmp_path), ForgetfulHost(set(range(2, 200, 5)), methods)
    cluster = {"backend": "local", "shards": 2, "epoch_us": 500_000}
    session, counts = simulated(host, scenario(mode=mode, cluster=cluster), dataset, tmp_path, fit=fit)
    assert session.restarts >= 5
    lessons, undisturbed = fit.lessons[0].received, reference[0].lessons[0].received
    assert lessons.digest() == undisturbed.digest()
    assert digest({}, [counts]) == digest({}, [reference[1]])


def test_with_a_rollout_it_goes_out_in_waves(dataset: Dataset, tmp_path: Path) -> None:
    released = scenario(rollout={"waves": [0.3, 1.0], "wave_us": "1 s"})
    _, counts = retrained(released, dataset, tmp_path)
    answered_S = counts.by_second_VSC[0, :, c.ANSWERED]
    fresh_S = counts.answers_GVHS3[:, 0, 2, :, 0].sum(axis=0)
    assert not fresh_S[:3].any()
    assert 0.1 < fresh_S[3] / answered_S[3] < 0.5
    assert fresh_S[4:].tolist() == answered_S[4:].tolist()


def test_a_switch_that_comes_later_still_comes(dataset: Dataset, tmp_path: Path) -> None:
    switches = [{"at_us": "5 s", "head": "plain"}]
    serving = {"head": "shifted", "servers": 2, "switches": switches}
    _, counts = retrained(scenario(serving=serving), dataset, tmp_path)
    answered_S = counts.by_second_VSC[0, :, c.ANSWERED]
    assert counts.by_head_HC[:, 0].tolist() == [
        answered_S[5:].sum(),
        answered_S[:3].sum(),
        answered_S[3:5].sum(),
    ]
