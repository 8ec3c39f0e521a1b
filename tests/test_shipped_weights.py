"""scenarios/cifar10.yaml runs with the weights of the package, without training and without the network."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from fleet_sim.codec.camera import FrozenEncoder
from fleet_sim.codec.head import load_head
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.registry import Registry
from fleet_sim.registry.shipped import FOLDER, opened
from fleet_sim.report.view import View
from fleet_sim.run import run
from fleet_sim.scenario import load_scenario

CIFAR10 = Path(__file__).parents[1] / "scenarios" / "cifar10.yaml"
SMALL = (
    "duration_us=3 s",
    "audit=0.02",
    "data.scenes=40",
    "fleet.cells=2",
    "sweep.fleet.cameras=[10]",
    "sweep.link.budget_bps=[4000]",
    "cluster.backend=local",
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A file of made-up images in CIFAR-10's form: smooth blobs, ten classes."""
    draws = np.random.default_rng(1)
    coarse_NHWC = draws.integers(0, 256, (120, 4, 4, 3), dtype=np.uint8)
    images_NHWC = coarse_NHWC.repeat(8, axis=1).repeat(8, axis=2)
    labels_N = np.arange(120) % 10
    path = tmp_path / "images.npz"
    np.savez(
        path,
        train_images=images_NHWC[:60],
        train_labels=labels_N[:60],
        test_images=images_NHWC[60:],
        test_labels=labels_N[60:],
    )
    return path


def test_the_scenario_runs_without_training(images: Path, tmp_path: Path) -> None:
    said = io.StringIO()
    scenario = load_scenario(CIFAR10, [f"data.path={images}", *SMALL])
    folder = run(scenario, tmp_path / "runs", View(Console(file=said, width=200)))
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["complete"]
    shipped = {version.id for version in opened(FOLDER).list()}
    assert {version.id for version in Registry(folder / "models").list()} == shipped
    assert "was made from other images" in said.getvalue()


def test_every_head_reads_what_the_encoder_sends() -> None:
    registry = opened(FOLDER)
    (encoder,) = (registry.load(v.id) for v in registry.list() if v.kind == "encoder")
    heads = [registry.load(v.id) for v in registry.list() if v.kind == "head"]
    assert sorted(head.manifest["head"]["name"] for head in heads) == ["ce", "kl", "svm"]
    made_by = "fleet-sim train scenarios/cifar10.yaml"
    assert all(version.manifest["made_by"].startswith(made_by) for version in (encoder, *heads))
    spec = CodecSpec.model_validate(encoder.manifest["codec"])
    tables = Tables.from_arrays(encoder.tensors["tables"])
    images_MHWC = np.random.default_rng(2).integers(0, 256, (64, 4, 4, 3), dtype=np.uint8)
    sent_MN = FrozenEncoder(spec, encoder.tensors["weights"], tables).latents(
        images_MHWC.repeat(8, axis=1).repeat(8, axis=2)
    )
    answers = []
    for bundle in heads:
        assert bundle.manifest["encoder"] == encoder.id
        head = load_head(bundle.manifest, spec, bundle.tensors, tables)
        answers.append(head.classify(sent_MN, len(tables.ladder_L) - 1))
    # Fitted to one encoder, they mostly agree even on what none of them has seen; by chance one in ten would.
    assert (answers[0] == answers[1]).mean() > 0.4
    assert (answers[0] == answers[2]).mean() > 0.4
