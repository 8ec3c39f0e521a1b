"""Questions to frozen encoders, on made-up images with the names of CIFAR-10's classes."""

import numpy as np
import pytest

from fleet_sim.codec.message import HEADER_BYTES, encode_batch
from fleet_sim.data import load
from trainers.reproduce import transfer
from trainers.reproduce.encoding import read_encoded
from trainers.reproduce.questions import Ask, EncodeForeign, other_question
from trainers.reproduce.store import Subject
from trainers.reproduce.training import Train

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
QUICK = {
    "e2e": {"epochs": 15, "batch": 20, "learning_rate": 0.05},
    "ordered": {"epochs": 5, "batch": 20, "learning_rate": 0.02},
    "head_training": {"epochs": 15, "batch": 20},
}
QUICKER = {part: fields | {"epochs": 1} for part, fields in QUICK.items()}


@pytest.fixture
def images(subject, tmp_path):
    """make(name, shade, train) -> Subject: 300 images, a colour a class, darker by `shade`."""

    def make(name="a", shade=0, train=QUICK) -> Subject:
        draws = np.random.default_rng(3)
        labels = np.arange(300) % 10
        colour = np.random.default_rng(4).integers(shade, 200, (10, 3))
        noise = draws.integers(0, 40, (300, 16, 16, 3))
        path = tmp_path / f"{name}.npz"
        np.savez(
            path,
            train_images=(colour[labels][:, None, None] - shade + noise).astype(np.uint8),
            train_labels=labels,
            test_images=(colour[labels][:, None, None] - shade + noise[::-1]).astype(np.uint8),
            test_labels=labels,
            class_names=np.array(NAMES),
        )
        base = other_question(subject(**train), source="cifar10", path=path)
        return Subject(base.scenario, load(base.scenario.data, 0).content_hash)

    return make


def test_a_frozen_encoder_answers_what_it_is_asked(images, do):
    base = images()
    encoder = Train(base, "e2e")
    own, animals = Ask(base, trained=encoder), Ask(other_question(base, labels="animals"), trained=encoder)
    assert own.key != animals.key
    store = do([own, animals])
    right = {step.key: store.figures(step)["levels"][-1]["accuracy"]["asked"] for step in (own, animals)}
    assert right[own.key] > 0.3  # of ten classes
    assert right[animals.key] > 0.75  # of two, of which one has 60 %


def test_foreign_images_are_coded_with_the_tables_of_the_encoder(images, do):
    base, foreign = images(train=QUICKER), images("b", 60, QUICKER)
    encoder = Train(base, "e2e")
    ask = Ask(foreign, trained=encoder)
    assert isinstance(ask.asked, EncodeForeign)
    assert not isinstance(Ask(other_question(base, labels="animals"), trained=encoder).asked, EncodeForeign)
    store = do([ask])
    tables = read_encoded(store, ask.own, base.dataset()).tables
    sent_MN = read_encoded(store, ask.asked, foreign.dataset()).test_MN[:, tables.ranking_N]
    for number, level in enumerate(store.figures(ask)["levels"]):
        messages = encode_batch(sent_MN, number, tables, 0, np.arange(len(sent_MN)))
        payload_bytes = [len(message) - HEADER_BYTES for message in messages]
        assert level["payload_bits"] == pytest.approx(8 * np.mean(payload_bytes))


def test_every_encoder_is_asked_every_question(images, do, monkeypatch):
    monkeypatch.setattr(transfer, "ENCODERS", {"e2e": ("e2e", 1.0), "generous": ("ordered", 0.1)})
    base, foreign = images(train=QUICKER), images("b", 60, QUICKER)
    monkeypatch.setattr(transfer, "_on_cifar100", lambda subjects: [foreign])
    found = transfer.results([base], do(transfer.targets([base])))
    asked = {(row["encoder"], row["trained_on"], *row["asked"]) for row in found["rows"]}
    assert len(asked) == len(found["rows"]) == 2 * (3 + 2)
    assert ("generous", "own", "cifar100", "own") in asked
    assert all(len(row["levels"]) == 3 and row["seconds"] > 0 for row in found["rows"])
    assert len(transfer.charts({"dataset": "cifar10", **found})) == 5


def test_the_generous_encoder_differs_in_its_rate_weight_alone(images):
    base = images()
    generous = transfer._weighted(base, 0.1)
    assert Train(generous, "e2e").key == Train(base, "e2e").key
    assert Train(generous, "ordered").key != Train(base, "ordered").key
    assert transfer._weighted(base, 1.0).scenario == base.scenario
