"""Several encoders released in one run: in order, to cameras with unlike ones, however work is divided."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_fleet import HEADS, ForgetfulHost, Watching, simulated, tiny_scenario, updates_of, ways

from fleet_sim.basics.hashing import STREAM_INSTALL, draw_below
from fleet_sim.camera.energy import total
from fleet_sim.cluster import member
from fleet_sim.cluster.host import Host, LocalHost
from fleet_sim.cluster.session import Session
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.air import BITS, LEFT, RETURNED, TAKEN_UP
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest
from fleet_sim.registry.rollout import Change
from fleet_sim.report.energy import energy_figures
from fleet_sim.report.travels import travel_rows
from fleet_sim.scenario import Scenario
from fleet_sim.scenario.work import rates_of

CAMERAS, SECONDS = 60, 30
INCOMPATIBLE = c.COLUMNS.index("dropped_incompatible")
LABELS = {"kind": "labels", "share": 1, "delay_us": "500 ms"}


def scenario_of(air: dict[str, Any] | None = None, guard: Any = None, **fields: Any) -> Scenario:
    """Two updates of some 10 kB to twelve cameras a cell at 200 kbit/s: half a second a camera."""
    rollout = {"waves": [0.3, 1], "wave_us": "1 s", "guard": guard or {"kind": "none"}}
    given = {
        "duration_us": SECONDS * 1_000_000,
        "audit": 0,
        "fleet": {"cameras": CAMERAS, "cells": 5, "frame_period_us": "500 ms"},
        "link": {"budget_bps": "200 kbit/s", "buffer_bytes": 300, "downlink_bps": "400 kbit/s"},
        "rollout": rollout | {"air": {"block_bytes": 500, "install_us": "700 ms", **(air or {})}},
        "train": {
            "heads": [{"name": name, "kind": "svm"} for name in HEADS],
            "flip": False,
            "recipe": "e2e",
            "updates": [{"at_us": "2 s"}, {"at_us": "3500 ms", "recipe": "ordered"}],
        },
    }
    return tiny_scenario(**given | fields)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


def run(
    scenario: Scenario, dataset: Dataset, models: Path, bad: int = 0, host: Host | None = None
) -> tuple[Session, Counts]:
    """The scenario with its updates; of the bad one "plain" is mostly wrong."""
    still = scenario.model_copy(update={"duration_us": 1000})
    session, _ = simulated(host or LocalHost(), still, dataset, models)
    return session, session.simulate(scenario, Watching(), updates_of(scenario, dataset, models, bad))


def events(counts: Counts, release: int) -> list[tuple[float, str]]:
    return [(us / 1e6, Change(what).name) for n, us, what, _ in counts.events_E4.tolist() if n == release]


def cameras_with(counts: Counts, version: int) -> np.ndarray:
    """(S,) at the end of each second."""
    air_SQ = counts.air_VGSQ[version].sum(axis=0)
    with_it: np.ndarray = np.cumsum(air_SQ[:, TAKEN_UP] - air_SQ[:, LEFT])
    return with_it + (CAMERAS if version == 0 else 0)


def bits_of(session: Session, version: int, before: int) -> int:
    """That bring a camera from one to the other, in blocks of 500 bytes with headers of 28."""
    content_bytes = session.packed[version - 1]["delta"][before]
    return 8 * (content_bytes + 28 * -(-content_bytes // 500))


def failing(version: int, share: float) -> np.ndarray:
    """(camera,) whether its install of this version fails."""
    toss_N = [draw_below(1, STREAM_INSTALL, camera, version, 1_000_000) for camera in range(CAMERAS)]
    return np.array(toss_N) < share * 1_000_000


def test_one_after_the_other_each_as_a_delta_from_the_one_before(dataset: Dataset, tmp_path: Path) -> None:
    session, counts = run(scenario_of(), dataset, tmp_path)
    for release in (0, 1):
        assert [what for _, what in events(counts, release)] == ["BEGUN", "WAVE", "THROUGH"]
    assert events(counts, 1)[0][0] == events(counts, 0)[-1][0] > 3.5
    assert (sum(cameras_with(counts, version) for version in range(3)) == CAMERAS).all()
    assert cameras_with(counts, 2)[-1] == CAMERAS
    for version in (1, 2):
        assert counts.air_VGSQ[version, ..., BITS].sum() == CAMERAS * bits_of(session, version, version - 1)


def test_a_camera_left_behind_gets_what_brings_it_from_what_it_has(dataset: Dataset, tmp_path: Path) -> None:
    """Installs fail by a hash: from it follows who has which, what each was sent, and who is read at last."""
    air = {"install_failure": 0.3, "most_failed": 1, "keep_us": "2 s"}
    session, counts = run(scenario_of(air), dataset, tmp_path)
    first, second = failing(1, 0.3), failing(2, 0.3)
    sent_bits = [bits_of(session, 2, before) for before in (0, 1)]
    assert sent_bits[0] != sent_bits[1]
    assert counts.air_VGSQ[2, ..., BITS].sum() == first.sum() * sent_bits[0] + (~first).sum() * sent_bits[1]
    left = [int((first & second).sum()), int((~first & second).sum()), int((~second).sum())]
    assert min(left) > 0
    assert [int(cameras_with(counts, version)[-1]) for version in range(3)] == left
    # The decoders of each go 2 s after the next one is through; two frames a second come all the same.
    dropped_VS = counts.by_second_VSC[:, :, INCOMPATIBLE]
    for version in (0, 1):
        gone_s = int(events(counts, version)[-1][0]) + 2
        assert dropped_VS[version, :gone_s].sum() == 0
        assert dropped_VS[version, -2] == 2 * left[version]
    assert dropped_VS[2].sum() == 0
    # From the first, whose decoders are gone, cameras come back with the second update.
    assert dropped_VS[0, -2] < dropped_VS[0].max() <= 2 * first.sum()


def test_a_release_begins_when_the_one_taken_back_is_off_every_camera(
    dataset: Dataset, tmp_path: Path
) -> None:
    window = {"every_us": "6 s", "open_us": "2 s"}  # closed when the guard has enough: commands wait
    scenario = scenario_of({"window": window}, guard=LABELS)
    session, counts = run(scenario, dataset, tmp_path, bad=1)
    (_, _), (back_s, back) = events(counts, 0)
    assert back == "BACK_WORSE"
    begun_s = events(counts, 1)[0][0]
    with_first_S = cameras_with(counts, 1)
    assert with_first_S.max() > 0
    assert begun_s > back_s + 1
    assert with_first_S[int(begun_s) - 1] == 0 < with_first_S[int(begun_s) - 2]
    assert (with_first_S[int(begun_s) :] == 0).all()
    reached = int(cameras_with(counts, 2)[-1])
    assert counts.air_VGSQ[2, ..., BITS].sum() >= reached * bits_of(session, 2, 0) > 0
    rows = travel_rows(counts, session.fleet_of(scenario), "delta")
    assert rows["1"]["taken_up"] == with_first_S.max() == counts.air_VGSQ[0, ..., RETURNED].sum()
    assert rows["1"]["at_end"] == 0
    assert rows["2"]["at_end"] == reached


def test_after_a_bad_second_update_cameras_have_the_first_again(dataset: Dataset, tmp_path: Path) -> None:
    session, counts = run(scenario_of(guard=LABELS), dataset, tmp_path, bad=2)
    assert [what for _, what in events(counts, 0)] == ["BEGUN", "WAVE", "THROUGH"]
    assert events(counts, 1)[-1][1] == "BACK_WORSE"
    assert cameras_with(counts, 2).max() > 0 == cameras_with(counts, 2)[-1]
    assert cameras_with(counts, 1)[-1] == CAMERAS
    rows = travel_rows(counts, session.fleet_of(scenario_of()), "delta")
    assert rows["1"]["taken_up"] == rows["1"]["at_end"] == CAMERAS  # none of them a second time


HARD = {
    "block_loss": 0.1,
    "install_failure": 0.15,
    "most_failed": 1,
    "keep_us": "3 s",
    "window": {"every_us": "3 s", "open_us": "2 s"},
}


@pytest.mark.parametrize(("shards", "epoch_us", "mode"), [(1, 30_000_000, "bank"), (3, 700_000, "live")])
def test_shards_mode_and_epoch_change_nothing(
    dataset: Dataset, tmp_path: Path, shards: int, epoch_us: int, mode: str
) -> None:
    found = []
    for number, way in enumerate(ways(shards, epoch_us, mode)):
        scenario = scenario_of(HARD, guard=LABELS, **way)
        found.append(run(scenario, dataset, tmp_path / str(number), bad=1)[1])
    assert events(found[0], 1) == events(found[1], 1) != []
    assert digest({}, found[:1]) == digest({}, found[1:])


def test_members_that_forget_everything_answer_as_before(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "PAUSE_S", 0.0)
    found = []
    for number, at in enumerate([set[int](), set(range(3, 400, 7))]):
        scenario = scenario_of(HARD, guard=LABELS)
        session, counts = run(
            scenario, dataset, tmp_path / str(number), bad=1, host=ForgetfulHost(at, ("step",))
        )
        found.append((session.restarts, counts))
    assert found[0][0] == 0
    assert found[1][0] >= 5
    assert digest({}, [found[0][1]]) == digest({}, [found[1][1]])


def test_what_cameras_receive_is_what_was_sent_to_them(dataset: Dataset, tmp_path: Path) -> None:
    radio = {"pj_per_bit": 8_000_000, "wake_nj": 144_000_000, "receive_uw": 90_000}
    camera = {"device": "microcontroller", "radio": radio}
    scenario = scenario_of(HARD, guard=LABELS, camera=camera)
    session, counts = run(scenario, dataset, tmp_path, bad=1)
    bits_V = counts.air_VGSQ[..., BITS].sum(axis=(1, 2))
    assert bits_V[0] == 0 < min(bits_V[1:])  # what takes an encoder back counts for that
    received = total(counts.did_R4).received_bits
    assert received == bits_V.sum()
    rates = rates_of(scenario, 10)
    assert rates is not None
    assert rates.received_bit_pj == 90_000 * 1_000_000 // 400_000  # on the air at the whole rate
    fleet = session.fleet_of(scenario)
    figures: Any = energy_figures(counts, fleet, rates, 5.0, 0.0)
    assert figures["picojoules"]["receive"] == received * rates.received_bit_pj
    rows = travel_rows(counts, fleet, "delta", rates)
    joules = [rows[version]["joules_a_camera"] or 0 for version in ("1", "2")]
    assert sum(joules) * CAMERAS == pytest.approx(received * rates.received_bit_pj / 1e12)


def test_without_a_rollout_every_camera_has_each_from_its_boundary_on(
    dataset: Dataset, tmp_path: Path
) -> None:
    found = []
    for number, (shards, epoch_us) in enumerate([(1, 30_000_000), (3, 700_000)]):
        cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
        scenario = scenario_of(rollout=None, cluster=cluster)
        found.append(run(scenario, dataset, tmp_path / str(number))[1])
    assert digest({}, found[:1]) == digest({}, found[1:])
    offered_VS = found[0].by_second_VSC[:, :, c.OFFERED]
    for version, (from_s, to_s) in enumerate([(0, 2), (2, 4), (4, SECONDS)]):
        assert offered_VS[version, from_s:to_s].tolist() == [2 * CAMERAS] * (to_s - from_s)
        assert offered_VS[version].sum() == 2 * CAMERAS * (to_s - from_s)
