"""A main job that is stopped, by Ctrl-C or a kill, at any of its stages, and goes on to the same results."""

import io
import subprocess
import sys
import time
from errno import ENOSPC
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from main_job import Stopping, quiet, results, small
from rich.console import Console

from fleet_sim.basics.errors import Interrupted, RunError, UserError
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import LocalHost
from fleet_sim.registry import Registry
from fleet_sim.report.progress import scenario_of
from fleet_sim.report.view import View
from fleet_sim.run import run


class Impatient(View):
    """Presses Ctrl-C in one of the points."""

    def __init__(self, index: int) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._index = index

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        if index == self._index:
            raise KeyboardInterrupt


def test_ctrl_c_beside_other_points_keeps_those_that_are_done(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 4)
    with pytest.raises(Interrupted, match=r"of 4 points"):
        run(small(models, "cluster.epoch_us=1 s"), tmp_path, Impatient(3))
    (folder,) = tmp_path.iterdir()
    points = results(folder)["points"]
    assert 2 <= len(points) <= 3  # two crews: when the last point begins, two or three are done
    wanted = {point["point"]: {**point, "wall_s": 0} for point in results(reference)["points"]}
    assert [{**point, "wall_s": 0} for point in points] == [wanted[point["point"]] for point in points]
    assert 3 not in {point["point"] for point in points}


def test_ctrl_c_keeps_the_points_that_are_done(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    with pytest.raises(Interrupted, match=r"1 of 4 points"):
        run(small(models), tmp_path, Impatient(1))
    (folder,) = tmp_path.iterdir()
    summary = results(folder)
    assert summary["complete"] is False
    first = results(reference)["points"][0]
    assert {**summary["points"][0], "wall_s": 0} == {**first, "wall_s": 0}
    assert (folder / "report.html").exists()


@pytest.mark.parametrize(("stage", "done"), [("Bank", 0), ("Simulation", 0), ("Oracle", 4)])
def test_ctrl_c_between_points_says_how_to_go_on(
    reference: Path, models: str, tmp_path: Path, stage: str, done: int
) -> None:
    with pytest.raises(Interrupted, match=rf"{done} of 4 points .* fleet-sim run --resume {tmp_path}"):
        run(small(models, "report.oracle=true"), tmp_path, Stopping(stage))
    (folder,) = tmp_path.iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]


def test_ctrl_c_before_anything_is_kept_says_so(models: str, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="before anything was kept"):
        run(small(models), tmp_path, Stopping("Training"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("why", "ends", "said"),
    [
        (KeyboardInterrupt(), Interrupted, r"interrupted: 4 of 4 points .* --resume"),
        (OSError(ENOSPC, "No space left"), RunError, r"No space left: 4 of 4 points .* --resume"),
    ],
)
def test_ctrl_c_or_a_full_disk_while_results_are_written_is_mended_by_going_on(
    reference: Path,
    models: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    why: BaseException,
    ends: type[BaseException],
    said: str,
) -> None:
    def stopped(_: Path) -> None:
        raise why

    with monkeypatch.context() as patched:
        patched.setattr("fleet_sim.run.write_html", stopped)
        with pytest.raises(ends, match=said):
            run(small(models), tmp_path, quiet())
    (folder,) = tmp_path.iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]
    assert (folder / "report.html").exists()


def test_ctrl_c_after_results_are_written_says_they_are_there(
    models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Export) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "flush", interrupted)
    with pytest.raises(Interrupted, match="all results were written"):
        run(small(models), tmp_path, quiet())
    (folder,) = tmp_path.iterdir()
    assert results(folder)["complete"] is True


KILLED = """
import sys
from pathlib import Path
from main_job import quiet, small
from fleet_sim.run import run
run(small(*sys.argv[2:]), Path(sys.argv[1]), quiet())
"""


def killed_once(out: Path, pattern: str, *overrides: str) -> Path:
    """The folder of a run whose driver was killed as soon as a file of it had such a name."""
    here = str(Path(__file__).parent)
    driver = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r})\n{KILLED}", str(out), *overrides]
    )
    while not list(out.glob(f"*/{pattern}")):
        assert driver.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    (folder,) = out.iterdir()
    return folder


@pytest.mark.parametrize("pattern", ["training/e2e-*.safetensors", "progress/*.npz"])
def test_a_driver_killed_at_any_stage_is_resumed_to_the_undisturbed_digest(
    reference: Path, tmp_path: Path, pattern: str
) -> None:
    folder = killed_once(tmp_path, pattern, "cluster.epoch_us=20 ms")
    done = {file.name: file.stat().st_mtime_ns for file in folder.glob("progress/*.npz")}
    scenario = scenario_of(folder, [])
    seen = io.StringIO()
    assert run(scenario, Path("unused"), View(Console(file=seen)), folder) == folder
    assert results(folder)["digest"] == results(reference)["digest"]
    assert results(folder)["complete"] is True
    if done:
        assert f"{len(done)} of 4 points done before" in seen.getvalue()
    assert not (folder / "progress").exists()
    with pytest.raises(UserError, match="this run is complete"):
        scenario_of(folder, [])


def test_a_run_ended_by_ctrl_c_goes_on_and_a_damaged_point_is_refused(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    with pytest.raises(Interrupted, match="go on by fleet-sim run --resume"):
        run(small(models), tmp_path, Impatient(2))
    (folder,) = tmp_path.iterdir()
    kept = folder / "progress" / "1-0.npz"
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"1-0\.npz cannot be read"):
        run(scenario_of(folder, []), tmp_path, quiet(), folder)
    kept.write_bytes(whole)
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]


def test_each_point_retrains_its_own_head_and_a_resumed_run_keeps_those_that_were_made(
    models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    fresh = "{at_us: 1.5 s, head: {name: fresh, kind: svm}, labelled: 1, delay_us: 0}"
    unlabelled = "{at_us: 1.5 s, head: {name: unlabelled, kind: svm}, labelled: 0.000001, delay_us: 0}"
    learned = f"train.retrain=[{fresh}, {unlabelled}]"
    whole = run(small(models, learned), tmp_path / "whole", quiet())
    with pytest.raises(Interrupted):
        run(small(models, learned), tmp_path / "stopped", Impatient(2))
    (folder,) = (tmp_path / "stopped").iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(whole)["digest"]
    assert results(folder)["retrained"] == results(whole)["retrained"]
    heads = [head for head in results(folder)["retrained"] if head["head"] == "fresh"]
    others = [head for head in results(folder)["retrained"] if head["head"] == "unlabelled"]
    assert [(head["version"], head["frames"], head["classes"]) for head in others] == [(None, 0, 0)] * 4
    assert [(head["point"], head["at_us"]) for head in heads] == [(point, 2_000_000) for point in range(4)]
    assert len({head["version"] for head in heads}) == 4
    assert {head["version"] for head in heads} <= {
        version.id for version in Registry(folder / "models").list()
    }
    assert all(point["heads"]["fresh"]["frames_answered"] > 0 for point in results(folder)["points"])
    rows = pq.read_table(folder / "timeline.parquet").to_pylist()
    assert [row["head"] for row in rows if row["point"] == 0 and row["cell"] == -1] == ["ce"] * 2 + [
        "fresh"
    ] * 4
