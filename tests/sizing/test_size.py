"""A small fleet with the weights of the package is sized, and the answer holds where it is tried."""

import json
from pathlib import Path

import numpy as np
import pytest
from main_job import Stopping, quiet

from fleet_sim.basics.errors import Interrupted, UserError
from fleet_sim.report.results import read_results
from fleet_sim.run import run
from fleet_sim.scenario import Scenario, load_scenario
from fleet_sim.sizing.search import Crossing, NoCrossing
from fleet_sim.sizing.size import size
from fleet_sim.sizing.target import read_target

CIFAR10 = Path(__file__).parents[2] / "scenarios" / "cifar10.yaml"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up images in CIFAR-10's form."""
    images_NHWC = np.random.default_rng(1).integers(0, 256, (80, 4, 4, 3), dtype=np.uint8)
    images_NHWC = images_NHWC.repeat(8, axis=1).repeat(8, axis=2)
    labels_N = np.arange(80) % 10
    path = tmp_path_factory.mktemp("images") / "images.npz"
    parts = {"train": slice(40), "test": slice(40, 80)}
    arrays = {f"{name}_images": images_NHWC[part] for name, part in parts.items()}
    np.savez(path, **arrays, **{f"{name}_labels": labels_N[part] for name, part in parts.items()})
    return path


def small(images: Path, *overrides: str) -> Scenario:
    settings = (
        f"data.path={images}",
        "data.scenes=40",
        "duration_us=10 s",
        "fleet.cells=2",
        "fleet.cameras=40",
        "link.budget_bps=3 kbit/s",
        "cluster.backend=local",
        "audit=0",
    )
    return load_scenario(CIFAR10, [*settings, *overrides])


def test_the_answer_is_the_last_number_of_cameras_that_meets_the_target(images: Path, tmp_path: Path) -> None:
    target = read_target("latency_ms.p95=300")
    answer, folder = size(small(images, "sweep.seeds=2"), "fleet.cameras", target, tmp_path, quiet())
    assert isinstance(answer.found, Crossing)
    written = json.loads((folder / "size.json").read_text())
    assert written["value"] == answer.found.value
    assert written["by_seed"] == answer.found.by_seed
    assert f"At most {answer.found.value} cameras" in answer.sentence
    tried = [round(answer.found.by_seed[0] * factor) for factor in (1, 1.05)]
    swept = small(images, f"train.use={folder / 'models'}", f"sweep.fleet.cameras={tried}")
    kept = [target.margin(row) >= 0 for row in read_results(run(swept, tmp_path, quiet())).summary["points"]]
    assert kept == [True, False]


def test_a_target_out_of_reach_is_said(images: Path, tmp_path: Path) -> None:
    target = read_target("accuracy_on_time=1")
    answer, _ = size(
        small(images, "sweep.seeds=2", "duration_us=2 s"), "link.budget_bps", target, tmp_path, quiet()
    )
    assert isinstance(answer.found, NoCrossing)
    assert "is missed everywhere" in answer.sentence
    assert answer.json()["value"] is None


@pytest.mark.parametrize(
    ("find", "overrides", "message"),
    [
        ("fleet.cells", (), "expected fleet.cameras or link.budget_bps"),
        ("fleet.cameras", ("sweep.link.budget_bps=[1000, 2000]",), "also sweeps link.budget_bps"),
        (
            "fleet.cameras",
            ("train.retrain=[{at_us: 1 s, head: {name: fresh, kind: ce}}]",),
            r"train.retrain: a fleet is sized for one version; --set train.retrain=\[\]",
        ),
        ("fleet.cameras", ("link.sharing=dedicated", "fleet.cells=null"), "no camera is in another's way"),
    ],
)
def test_what_cannot_be_sized_is_refused(
    images: Path, tmp_path: Path, find: str, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        size(small(images, *overrides), find, read_target("accuracy=0.5"), tmp_path / "out", quiet())
    assert not (tmp_path / "out").exists()


TRAINED_IN_A_SECOND = """
name: trained
codec: {depth: tiny, width: 4, neurons: 8}
train:
  recipe: e2e
  e2e: {epochs: 1}
  head_training: {epochs: 1}
  heads: [{name: ce, kind: ce}]
cluster: {backend: local}
"""


def test_ctrl_c_says_how_to_begin_again(images: Path, tmp_path: Path) -> None:
    def said(scenario: Scenario, stage: str) -> str:
        with pytest.raises(Interrupted) as caught:
            size(scenario, "fleet.cameras", read_target("accuracy=0.5"), tmp_path / "runs", Stopping(stage))
        return str(caught.value)

    (tmp_path / "trained.yaml").write_text(TRAINED_IN_A_SECOND)
    trained = load_scenario(tmp_path / "trained.yaml")
    assert said(trained, "Training").startswith("interrupted: the same command trains anew; fleet-sim train")
    assert said(small(images), "Search") == "interrupted: the same command begins anew"
    *_, use = said(trained, "Search").split("train.use=")
    again = load_scenario(tmp_path / "trained.yaml", [f"train.use={use}"])
    assert said(again, "Search") == "interrupted: the same command begins anew"


def test_nothing_of_the_training_is_left_but_its_versions(tmp_path: Path) -> None:
    (tmp_path / "trained.yaml").write_text(TRAINED_IN_A_SECOND)
    scenario = load_scenario(tmp_path / "trained.yaml", ["duration_us=1 s", "fleet.cameras=10"])
    _, folder = size(scenario, "fleet.cameras", read_target("accuracy=0.99"), tmp_path / "runs", quiet())
    assert {path.name for path in folder.iterdir()} == {"models", "size.json"}
