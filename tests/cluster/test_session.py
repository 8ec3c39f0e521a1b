"""The same fleet gives the same counts, however its work is divided, and loses no frame."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_fleet import Watching, simulated, tiny_scenario

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.sends import LATENTS
from fleet_sim.cluster.session import Session
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.digest import digest

UPDATE_AT_US = 3_000_000


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(tiny_scenario().data, seed=1)


@pytest.fixture(scope="module")
def reference(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, Counts]]:
    models = tmp_path_factory.mktemp("reference")
    return simulated(LocalHost(), tiny_scenario(), dataset, models, update_at_us=UPDATE_AT_US)


@pytest.mark.parametrize(("shards", "epoch_us"), [(1, 6_000_000), (2, 1_234_567), (7, 400_000)])
@pytest.mark.parametrize("mode", ["bank", "live"])
def test_shards_mode_and_epoch_do_not_change_the_digest(
    dataset: Dataset,
    reference: tuple[Session, Counts],
    tmp_path: Path,
    shards: int,
    epoch_us: int,
    mode: str,
) -> None:
    cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
    other = tiny_scenario(mode=mode, cluster=cluster)
    _, counts = simulated(LocalHost(), other, dataset, tmp_path, update_at_us=UPDATE_AT_US)
    assert digest({}, [counts]) == digest({}, [reference[1]])


def test_another_seed_gives_another_digest(
    dataset: Dataset, reference: tuple[Session, Counts], tmp_path: Path
) -> None:
    _, counts = simulated(LocalHost(), tiny_scenario(seed=2), dataset, tmp_path, update_at_us=UPDATE_AT_US)
    assert digest({}, [counts]) != digest({}, [reference[1]])


def test_a_version_is_taken_up_at_its_time(reference: tuple[Session, Counts]) -> None:
    _, counts = reference
    offered_VS = counts.by_second_VSC[:, :, c.OFFERED]
    assert offered_VS[0, 3:].sum() == 0
    assert offered_VS[1, :3].sum() == 0
    assert offered_VS.sum() == 30 * 12  # two frames a second for six seconds


def test_the_bank_is_audited(reference: tuple[Session, Counts]) -> None:
    session, counts = reference
    assert 0 < session.audited < counts.total_C[c.ANSWERED]


@pytest.mark.parametrize("mode", ["bank", "live"])
def test_an_overloaded_link_drops_and_loses_nothing(dataset: Dataset, tmp_path: Path, mode: str) -> None:
    scenario = tiny_scenario(mode=mode, link={"budget_bps": "2500 bit/s", "buffer_bytes": 64})
    _, counts = simulated(LocalHost(), scenario, dataset, tmp_path)
    assert counts.total_C[c.DROPPED_BUFFER] > 0
    assert counts.total_C[c.DROPPED_DEADLINE] > 0
    counts.check_conservation()
    with pytest.raises(RuntimeError, match="frames got lost"):
        replace(counts, in_flight=counts.in_flight + 1).check_conservation()


def test_no_cell_sends_more_than_its_budget(reference: tuple[Session, Counts]) -> None:
    assert (reference[1].wire_bits_by_cell <= 6_000 * 6).all()
    assert (reference[1].wire_bits_by_cell > 0).all()


def test_a_head_is_switched_while_running(dataset: Dataset, tmp_path: Path) -> None:
    # The second head calls every class by its neighbour's name, so it is nearly always wrong.
    serving = {"head": "plain", "servers": 2, "switches": [{"at_us": "2.5 s", "head": "shifted"}]}
    scenario = tiny_scenario(serving=serving, link={"budget_bps": "60 kbit/s"})
    _, counts = simulated(LocalHost(), scenario, dataset, tmp_path)
    by_second_SC = counts.by_second_VSC.sum(axis=0)
    accuracy_S = by_second_SC[:, c.RIGHT] / by_second_SC[:, c.ANSWERED]
    assert accuracy_S[:3].min() > 0.5  # at 2.5 s nothing changes yet: the next period begins at 3 s
    assert accuracy_S[3:].max() < 0.3


def test_a_broken_bank_is_found_by_the_audit(dataset: Dataset, tmp_path: Path) -> None:
    scenario = tiny_scenario(audit=1.0)
    session, _ = simulated(LocalHost(), scenario, dataset, tmp_path)
    server = session._servers[0].handle
    bank = server._banks[LATENTS]
    bank.right_VHLF[:] = ~bank.right_VHLF
    with pytest.raises(RuntimeError, match="audit"):
        session.simulate(scenario, Watching())


def test_named_cells_count_what_happens_in_them(dataset: Dataset, tmp_path: Path) -> None:
    scenario = tiny_scenario(report={"cells": [3, 0]})
    _, counts = simulated(LocalHost(), scenario, dataset, tmp_path)
    wire_K = counts.cells_KSC[:, :, c.WIRE_BITS].sum(axis=1)
    assert wire_K.tolist() == counts.wire_bits_by_cell[[3, 0]].tolist()
    everything = tiny_scenario(report={"cells": [0, 1, 2, 3, 4]})
    _, counts = simulated(LocalHost(), everything, dataset, tmp_path)
    np.testing.assert_array_equal(counts.cells_KSC.sum(axis=(0, 1)), counts.total_C)


SPLIT = {"head": "plain", "servers": 2, "split": [{"head": "shifted", "share": 0.4}]}


def test_heads_split_the_cameras_alike_however_work_is_divided(dataset: Dataset, tmp_path: Path) -> None:
    found = []
    for number, (mode, shards, epoch_us) in enumerate([("bank", 1, 6_000_000), ("live", 7, 400_000)]):
        cluster = {"backend": "local", "shards": shards, "epoch_us": epoch_us}
        control = {"controller": "predictive"}  # calibrated on the head that is not split off
        scenario = tiny_scenario(mode=mode, cluster=cluster, serving=SPLIT, control=control)
        found.append(simulated(LocalHost(), scenario, dataset, tmp_path / str(number))[1])
    assert digest({}, found[:1]) == digest({}, found[1:])
    assert (found[0].by_head_HC == found[1].by_head_HC).all()
    plain_C, shifted_C = found[0].by_head_HC
    assert 0 < shifted_C[0] < plain_C[0]
    assert shifted_C[1] / shifted_C[0] < 0.5 * plain_C[1] / plain_C[0]  # it reads every class as the next


def test_a_switch_ends_the_split(dataset: Dataset, tmp_path: Path) -> None:
    switches = [{"at_us": 0, "head": "shifted"}]
    at_once = simulated(LocalHost(), tiny_scenario(serving=SPLIT | {"switches": switches}), dataset, tmp_path)
    assert at_once[1].by_head_HC[0].tolist() == [0, 0, 0]


def test_replicas_behind_a_server_read_a_split_alike(dataset: Dataset, tmp_path: Path) -> None:
    found = []
    for number, shards in enumerate((1, 3)):
        cluster = {"backend": "local", "shards": shards, "epoch_us": 700_000}
        scenario = tiny_scenario(cluster=cluster, serving=SPLIT | {"replicas": 2})
        found.append(simulated(LocalHost(), scenario, dataset, tmp_path / str(number))[1])
    assert (found[0].by_head_HC == found[1].by_head_HC).all()
    assert (found[0].by_head_HC[:, 0] > 0).all()


@pytest.mark.parametrize("controller", ["predictive", "value", "own"])
def test_controllers_decide_alike_wherever_they_run(
    dataset: Dataset, tmp_path: Path, controller: str
) -> None:
    if controller == "own":
        path = tmp_path / "mine.py"
        path.write_text(
            "def choose(o, mind):\n    mind.notes[1] += 1.0\n    return int(mind.notes[1]) % 4 - 1\n"
        )
        controller = f"{path}:choose"
    digests = set()
    for number, (shards, epoch_us, mode) in enumerate(((1, 6_000_000, "bank"), (3, 400_000, "live"))):
        scenario = tiny_scenario(
            mode=mode,
            control={"controller": controller},
            link={"budget_bps": "3 kbit/s", "buffer_bytes": 300},  # so little that all skip frames
            cluster={"backend": "local", "shards": shards, "epoch_us": epoch_us},
        )
        models = tmp_path / str(number)
        _, counts = simulated(LocalHost(), scenario, dataset, models, update_at_us=UPDATE_AT_US)
        digests.add(digest({}, [counts]))
    assert len(digests) == 1
    assert counts.total_C[c.DROPPED_SKIPPED] > 0


def test_a_level_that_there_is_not_ends_the_run(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def choose(o, mind):\n    return o.levels\n")
    scenario = tiny_scenario(control={"controller": f"{path}:choose"})
    with pytest.raises(UserError, match=r"mine.py:choose: gave level 3; there are 0 to 2, and -1 to skip"):
        simulated(LocalHost(), scenario, dataset, tmp_path / "models")
