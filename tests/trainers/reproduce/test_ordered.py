"""Ordered against pruning, on made-up images that any classifier can tell apart."""

import pytest

from trainers.reproduce import ordered
from trainers.reproduce.rungs import Rungs
from trainers.reproduce.training import Train

EASY = {
    "e2e": {"epochs": 20, "batch": 20, "learning_rate": 0.05},
    "ordered": {"epochs": 10, "batch": 20, "learning_rate": 0.02, "rate_weight": 0.02},
}


@pytest.fixture
def subjects(subject):
    return [subject(seed, **EASY) for seed in (0, 1)]


def test_results_of_two_seeds(subjects, do):
    store = do(ordered.targets(subjects))
    found = ordered.results(subjects, store)
    assert found["epochs"] == {"e2e": 20, "ordered": 10}
    control = found["further_epochs_without_levels_or_bits"]
    assert control["epochs"] == {"e2e": 20, "ordered": 10}
    assert control["neurons"] == [8]
    assert control["test_accuracy"]["n"] == 1
    assert [level["neurons"] for level in found["levels"]] == [1, 3, 8]
    assert found["levels"][-1]["test_accuracy"]["ordered"]["n"] == 2
    assert found["highest_level"]["test_accuracy"]["mean"] > 0.6
    rungs = [store.figures(Rungs(s, trained=Train(s, "ordered")))["levels"] for s in subjects]
    assert found["highest_level"]["payload_bits"]["values"] == [
        levels[-1]["payload_bits"] for levels in rungs
    ]
    assert {"e2e, tuned", "duphil, refitted"} < set(found["bd_rate_per_cent"])
    (chart,) = ordered.charts(found)
    assert len(chart.series) == 5


def test_levels_are_chosen_by_validation_images_within_the_bits():
    def level(neurons, bits, validation, test):
        return {
            "neurons": neurons,
            "payload_bits": bits + 0.5,
            "validation_payload_bits": bits,
            "validation_accuracy": validation,
            "accuracy": {"ordered": test},
        }

    levels = [level(1, 8, 0.5, 0.9), level(2, 16, 0.8, 0.7), level(3, 20, 0.7, 0.95), level(4, 30, 0.9, 0.8)]
    chosen = ordered._within(24, [levels, levels], [0.75, 0.65])
    assert chosen["neurons"] == [2, 2]
    assert chosen["payload_bits"]["mean"] == 16.5
    assert chosen["points_above_e2e"]["values"] == pytest.approx([-5, 5])
    assert ordered._within(4, [levels], [0.5])["level"] is None
