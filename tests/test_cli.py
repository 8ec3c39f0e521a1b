"""Commands end with the right status and one clear message, and bad input writes nothing."""

# ruff: noqa: E501  the messages are the point: each on one line

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from fleet_sim.basics.errors import Interrupted, RunError, UserError
from fleet_sim.cli import app
from fleet_sim.conformance import Check
from fleet_sim.report.results import write_results
from fleet_sim.report.view import View
from fleet_sim.scenario import Scenario

SWEPT = "name: x\nsweep:\n  link.budget_bps: [20 kbit/s, 1e5]\n  fleet.cameras: [100, 200]\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.yaml"
    file.write_text(SWEPT)
    return file


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Scenario, Path]]:
    """What is asked of fleet_sim.run, which is replaced by one that writes an empty run."""
    asked: list[tuple[Scenario, Path]] = []

    def run(scenario: Scenario, out: Path, view: View, resume: Path | None = None) -> Path:
        asked.append((scenario, out))
        view.stage("Training")
        folder = out / "x-1"
        folder.mkdir(parents=True)
        summary = {"name": "x", "digest": "abc", "points": [], "scenario": scenario.model_dump(mode="json")}
        write_results(folder, summary, [], [])
        return folder

    module = ModuleType("fleet_sim.run")
    module.run = module.train = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fleet_sim.run", module)
    return asked


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(scenario: Scenario, out: Path, view: View, resume: Path | None = None) -> Path:
        raise error

    monkeypatch.setattr(sys.modules["fleet_sim.run"], "run", run)


def invoke(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_run_passes_the_scenario_on_and_says_where_the_report_is(
    file: Path, calls: list[tuple[Scenario, Path]]
) -> None:
    status, out, _ = invoke("run", file, "--set", "seed=7", "--out", "here", "--address", "10.0.0.1:6379")
    ((scenario, folder),) = calls
    assert status == 0
    assert (scenario.seed, scenario.cluster.address, folder) == (7, "10.0.0.1:6379", Path("here"))
    assert out.splitlines()[0] == "Training"
    assert out.splitlines()[-2:] == ["digest  abc", "report  here/x-1/report.html"]


def test_results_go_to_runs_by_default(file: Path, calls: list[tuple[Scenario, Path]]) -> None:
    assert invoke("run", file)[0] == 0
    assert calls[0][1] == Path("runs")


def test_train_says_how_to_use_the_models(file: Path, calls: list[tuple[Scenario, Path]]) -> None:
    status, out, _ = invoke("train", file, "--out", "here")
    assert status == 0
    assert "--set train.use=here/x-1" in out


def test_setting_a_swept_field_is_noted(file: Path) -> None:
    status, out, err = invoke("validate", file, "--set", "link.budget_bps=5 kbit/s")
    assert status == 0
    assert out == f"{file}: a valid scenario of 2 points\n"
    assert err == "note: --set link.budget_bps=5 kbit/s replaces the sweep over link.budget_bps\n"


def test_files_that_a_run_will_miss_are_noted(file: Path, tmp_path: Path) -> None:
    absent = ("--set", "data={source: npz, path: no.npz}", "--set", "train.use=none")
    status, out, err = invoke("validate", file, *absent)
    assert (status, out) == (0, f"{file}: a valid scenario of 4 points\n")
    assert err.splitlines() == [
        "note: data.path: there is no no.npz yet, which a run needs",
        "note: train.use: there is no none yet, which a run needs",
    ]
    there = ("--set", f"data={{source: folder, path: {tmp_path}}}", "--set", "train.use=shipped")
    assert invoke("validate", file, *there)[2] == ""


BAD = [
    ("name: x\nlink: {budget_bsp: 5}\n", [], "x.yaml:2: link.budget_bsp: unknown field; did you mean budget_bps?"),
    ("name: x\nserving: {deadline_us: 5 kbit/s}\n", [], "x.yaml:2: serving.deadline_us: 'kbit/s' is a unit of bit rate"),
    ("name: x\n", ["--set", "fleet.cameras=-1"], "--set fleet.cameras=-1: must be at least 1, got -1"),
    ("name: x\nsweep: {fleet.cameras: [5]}\n", [], "x.yaml:2: sweep.fleet.cameras: 10 cells cannot be filled by 5 cameras"),
    ("", [], "x.yaml: is empty"),
]  # fmt: skip


@pytest.mark.parametrize("command", ["run", "train", "validate"])
@pytest.mark.parametrize(("text", "options", "message"), BAD)
def test_bad_input_is_status_2_and_nothing_is_written(
    file: Path,
    calls: list[tuple[Scenario, Path]],
    command: str,
    text: str,
    options: list[str],
    message: str,
) -> None:
    file.write_text(text)
    before = sorted(file.parent.rglob("*"))
    status, out, err = invoke(command, "x.yaml", *options)
    assert status == 2
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert (calls, sorted(file.parent.rglob("*"))) == ([], before)


@pytest.mark.parametrize(
    "args",
    [["run"], ["run", "absent.yaml"], ["bogus"], ["report", "absent"], ["run", "x.yaml", "--bogus"], []],
)
def test_a_wrong_command_line_is_status_2(file: Path, args: list[str]) -> None:
    assert invoke(*args)[0] == 2


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            UserError("the cluster has 2 CPUs; 9 are asked for"),
            2,
            "the cluster has 2 CPUs; 9 are asked for\n",
        ),
        (RunError("a shard was lost"), 1, "failed: a shard was lost\n"),
        (OSError(28, "No space left on device"), 1, "failed: [Errno 28] No space left on device\n"),
        (
            Interrupted("interrupted: 3 of 12 points are in runs/x"),
            130,
            "interrupted: 3 of 12 points are in runs/x\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_what_goes_wrong_in_a_run_is_one_line(
    file: Path,
    calls: list[tuple[Scenario, Path]],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    message: str,
) -> None:
    failing(monkeypatch, error)
    assert invoke("run", file) == (status, "", message)


def test_schema_is_json(file: Path) -> None:
    status, out, _ = invoke("schema")
    assert status == 0
    assert json.loads(out)["additionalProperties"] is False


def test_version_and_help() -> None:
    assert invoke("--version")[1].startswith("fleet-sim ")
    for command in ("run", "train", "validate", "schema", "report", "dashboard"):
        status, out, _ = invoke(command, "--help")
        assert status == 0
        assert "Example: fleet-sim" in out


def test_checking_a_scenario_loads_neither_torch_nor_ray_nor_numba(file: Path) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom fleet_sim.cli import app\n"
        f"assert CliRunner().invoke(app, ['validate', {str(file)!r}]).exit_code == 0\n"
        "print([m for m in ('torch', 'ray', 'numba', 'plotly', 'pyarrow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("holds", "status"), [(True, 0), (False, 1)])
def test_conformance_prints_every_check_and_fails_with_one(
    monkeypatch: pytest.MonkeyPatch, holds: bool, status: int
) -> None:
    seeds = []

    def checks(seed: int) -> list[Check]:
        seeds.append(seed)
        return [
            Check("sound", "mean", 1, 1, 1, 1, 10),
            Check("other", "mean", 1 if holds else 2, 1, 1, 1, 10),
        ]

    monkeypatch.setattr("fleet_sim.conformance.all_checks", checks)
    got, out, err = invoke("conformance", "--seed", 7)
    assert (got, seeds) == (status, [7])
    assert [text.split()[0] for text in out.splitlines()] == ["model", "sound", "other"]
    assert err == ("" if holds else "failed: 1 of these checks do not hold\n")


def test_resume_takes_no_scenario_and_needs_a_stopped_run(file: Path) -> None:
    for args, said in (
        (("run", file, "--resume", "x"), "leave SCENARIO and --set out"),
        (("run",), "name a scenario, or a stopped run with --resume RUN"),
        (("run", "--resume", "nowhere"), "--resume nowhere: there is no run"),
    ):
        status, _, error = invoke(*args)
        assert status == 2
        assert said in error
