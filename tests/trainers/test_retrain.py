"""A head fitted to received latents: what it learns, what its manifest says, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from fleet_sim.codec.head import load_head
from fleet_sim.codec.received import Received, newest
from fleet_sim.codec.tables import Tables
from fleet_sim.registry.lessons import Lessons
from trainers.local import train_locally
from trainers.retrain import retrain


def silent(stage, done, total, figures):
    pass


@pytest.fixture
def made(scenario, registry, received, tmp_path):
    """make(head) -> (scenario that retrains it, lessons, registry)."""
    spec = scenario()
    released = train_locally(spec, ("e2e",), tmp_path / "work", registry.publish, silent)
    encoder, parent = registry.load(released.encoder), registry.load(released.heads["ce"])
    lessons = Lessons(received(Tables.from_arrays(encoder.tensors["tables"])), encoder, parent)

    def make(kind="ce", **learned):
        retrained = {"at_us": "1 s", "head": {"name": "fresh", "kind": kind}, **learned}
        return scenario(retrain=[retrained], head_training={"epochs": 20, "batch": 20}), lessons, registry

    return make


@pytest.mark.parametrize("kind", ["ce", "kl", "svm"])
def test_it_reads_what_was_received_and_says_what_it_is(made, kind):
    scenario, lessons, registry = made(kind)
    version = retrain(scenario, 0, lessons, registry.publish, silent)
    assert retrain(scenario, 0, lessons, registry.publish, silent) == version
    head, encoder = registry.load(version), lessons.encoder
    assert head.manifest["encoder"] == encoder.id
    assert head.manifest["parent"] == (lessons.parent.id if kind == "ce" else None)
    assert head.manifest["data"]["frames"] == 300
    assert head.manifest["data"]["content_hash"] == lessons.received.digest()
    assert head.manifest["contract_hash"] == encoder.manifest["contract_hash"]
    tables = Tables.from_arrays(encoder.tensors["tables"])
    loaded = load_head(head.manifest, scenario.codec, head.tensors, tables)
    whole = lessons.received.level_M == 2
    answers = loaded.classify(lessons.received.latent_MN[whole], 2)
    assert (answers == lessons.received.label_M[whole]).mean() > 0.9
    assert 0.5 < head.manifest["metrics"]["fitted_accuracy"] <= 1


def test_ten_frames_of_two_classes_suffice_and_no_fewer(made):
    _, lessons, _ = made()
    ten = newest([lessons.received], 10)
    assert ten.suffices
    assert not newest([ten], 9).suffices
    assert not replace(ten, label_M=np.zeros(10, np.int64)).suffices


def test_the_newest_of_all_parts_are_taken_in_one_order(received):
    tables = type("Tables", (), {"ladder_L": np.array([1, 3, 8])})
    whole = received(tables)
    shuffled = np.random.default_rng(1).permutation(300)
    parts = [
        Received(*(getattr(whole, name)[half] for name in Received.__dataclass_fields__))
        for half in (shuffled[:100], shuffled[100:])
    ]
    assert newest(parts, 300).digest() == whole.digest()
    assert newest(parts, 40).done_us_M.tolist() == list(range(260, 300))
