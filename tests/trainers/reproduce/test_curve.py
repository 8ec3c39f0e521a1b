"""Pruning curves: bits that are real, and every way of reading a pruned latent."""

import numpy as np
import pytest

from fleet_sim.codec.message import encode_batch
from trainers.reproduce.curve import Curve
from trainers.reproduce.encoding import Encode, read_encoded
from trainers.reproduce.training import Train

EASY = {"e2e": {"epochs": 30, "batch": 20, "learning_rate": 0.05}}


@pytest.fixture
def curve(subject):
    made = subject(**EASY)
    return Curve(made, trained=Train(made, "e2e"))


def test_bits_are_those_of_the_messages_of_the_test_images(curve, do):
    store = do([curve])
    levels = store.figures(curve)["levels"]
    encoded = read_encoded(store, Encode(curve.subject, trained=curve.trained), curve.subject.dataset())
    ranked = encoded.test_MN[:, encoded.tables.ranking_N]
    assert [level["neurons"] for level in levels] == [1, 3, 8]
    for number, level in enumerate(levels):
        messages = encode_batch(ranked, number, encoded.tables, 0, np.arange(len(ranked)))
        message_bits = 8 * np.mean([len(message) for message in messages])
        assert level["wire_bits"] == pytest.approx(message_bits + 8 * 28)
        assert level["payload_bits"] == pytest.approx(message_bits - 8 * 5)
        assert level["ideal_bits"] <= level["payload_bits"] + 1e-9


def test_with_all_neurons_no_way_of_reading_differs_much_and_all_are_right(curve, do):
    whole = do([curve]).figures(curve)["levels"][-1]["accuracy"]
    assert set(whole) == {"pruned", "tuned", "refitted"}
    assert whole["pruned"] == pytest.approx(whole["tuned"], abs=0.05)
    assert min(whole.values()) > 0.5  # chance is a third
