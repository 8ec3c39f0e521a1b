"""The command as a whole, and steps done in processes of their own."""

import json
import threading

import pytest
import torch
from typer.testing import CliRunner

from fleet_sim.basics.errors import Interrupted, UserError
from fleet_sim.cli import app
from trainers.reproduce import presets
from trainers.reproduce.experiments import EXPERIMENTS, reproduce
from trainers.reproduce.pool import do_all
from trainers.reproduce.training import Train


@pytest.fixture
def small(scenario, monkeypatch):
    """The presets replaced by a small one on made-up images."""

    def make(preset, dataset, data_path, seed):
        return scenario().model_copy(update={"seed": seed})

    monkeypatch.setattr(presets, "scenario", make)


def test_files_are_written_and_a_second_run_does_nothing_anew(small, tmp_path):
    lines = []
    made = reproduce("table1", "cifar10", "cpu", 2, None, tmp_path / "out", lines.append)
    found = json.loads(made.figures.read_text())
    assert (found["experiment"], found["dataset"], found["preset"]) == ("table1", "cifar10", "cpu")
    assert {row["test_accuracy"]["n"] for row in found["rows"]} == {2}
    assert made.plot.read_text().startswith("<svg")
    assert any("e2e, seed 1" in line for line in lines)
    for latents in (tmp_path / "out" / "store").glob("encode-*"):
        latents.unlink()  # which only finished steps need
    again = []
    reproduce("table1", "cifar10", "cpu", 2, None, tmp_path / "out", again.append)
    assert again == []
    assert json.loads(made.figures.read_text()) == found


def test_what_a_step_refuses_ends_the_work_with_its_words(subject, store):
    bad = subject(e2e={"epochs": 2, "batch": 20, "learning_rate": 1e30})
    with pytest.raises(UserError, match=r"e2e, seed 1: training diverged: lower train\.e2e\.learning_rate"):
        do_all([Train(bad, "e2e")], store, 2, lambda line: None)


def test_ctrl_c_says_what_is_kept_and_keeps_it(subject, store):
    first, second = Train(subject(seed=1), "e2e"), Train(subject(seed=2), "e2e")

    def ctrl_c(line):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="the same command goes on"):
        do_all([first, second], store, 1, ctrl_c)
    assert store.record(first) is not None
    assert store.record(second) is None


def test_an_unknown_experiment_is_named_with_what_there_is(small, tmp_path):
    with pytest.raises(UserError, match=r"no experiment 'tabel1'; did you mean table1\?"):
        reproduce("tabel1", "cifar10", "cpu", 1, None, tmp_path, print)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_the_papers_preset_without_a_gpu_is_status_2_and_writes_nothing(tmp_path):
    result = CliRunner().invoke(
        app, ["reproduce", "table1", "--preset", "paper", "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert "there is no CUDA GPU here" in result.output
    assert not (tmp_path / "out").exists()


def test_missing_images_are_status_2(tmp_path):
    missing = tmp_path / "none.npz"
    result = CliRunner().invoke(
        app, ["reproduce", "table1", "--data", str(missing), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 2
    assert f"there is no file {missing}" in result.output


def test_both_presets_hold_for_both_data_sets():
    for preset in ("cpu", "paper"):
        for dataset in ("cifar10", "cifar100"):
            made = presets.scenario(preset, dataset, None, 3)
            assert made.seed == 3
            assert made.codec.width == (64 if preset == "paper" else 16)
    paper = presets.scenario("paper", "cifar100", None, 0)
    assert (paper.train.e2e.epochs, paper.train.duphil.epochs, paper.codec.depth) == (200, 100, "resnet34")


def test_every_experiment_has_what_one_needs():
    for name, experiment in EXPERIMENTS.items():
        for part in ("targets", "results", "charts"):
            assert callable(getattr(experiment, part)), f"{name} has no {part}"


def test_two_processes_that_want_the_same_step_do_it_once(subject, store):
    step = Train(subject(), "e2e")
    seen = []
    threads = [
        threading.Thread(target=store.do, args=(step, lambda part, done, total, figures: seen.append(done)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0, 1, 2, 3]
