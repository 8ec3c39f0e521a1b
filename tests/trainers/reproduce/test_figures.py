"""The figures on made-up images: what they hold, and that they follow from the records."""

import numpy as np
import pytest
from PIL import Image

from trainers.reproduce import fig2, fig3, fig4
from trainers.reproduce.chart import svg
from trainers.reproduce.corrupted import SHARES, by_share
from trainers.reproduce.figures import at_equal_bits, over_seeds
from trainers.reproduce.power import layer_power
from trainers.reproduce.still import SETTINGS, Setting, send


@pytest.fixture
def two(subject, monkeypatch):
    """Two seeds of a source with its own list of shares."""
    monkeypatch.setitem(SHARES, "npz", (0.0, 0.1, 0.2))
    joint = {"epochs": 2, "batch": 40, "learning_rate": 0.01}
    return [subject(seed, joint=joint) for seed in (0, 1)]


@pytest.mark.parametrize("experiment", [fig2, fig3, fig4])
def test_an_experiment_goes_from_steps_to_a_plot(experiment, two, do, monkeypatch):
    monkeypatch.setattr(
        "trainers.reproduce.baselines.SETTINGS", (Setting("webp", 0, 16), Setting("jpeg", 50, 16))
    )
    found = experiment.results(two, do(experiment.targets(two)))
    for row in found["rows"]:
        assert row["epochs"]["e2e"] == 3
        assert row["seconds"] > 0
        assert row["hardware"]
    page = svg(experiment.charts(found))
    assert page.startswith("<svg")
    assert "nan" not in page


def test_rates_rise_apart_in_the_records_of_figure_2(two, do, monkeypatch):
    monkeypatch.setattr("trainers.reproduce.baselines.SETTINGS", (Setting("webp", 0, 16),))
    found = fig2.results(two, do(fig2.targets(two)))
    rows = {row["recipe"]: row for row in found["rows"]}
    assert rows["e2e"]["rates"] == {}
    for recipe in ("duphil", "joint"):
        for of_all, of_classes in zip(*rows[recipe]["rates"].values(), strict=True):
            assert len(of_all) == 2
            assert all(whole > parts > 0 for whole, parts in zip(of_all, of_classes, strict=True))
    for level in rows["e2e"]["levels"]:
        assert level["payload_bpp"] == level["payload_bits"] / 256
        assert level["test_accuracy"]["tuned"]["n"] == 2
    label = found["baselines"]["label"]
    assert label["payload_bits"] == 8
    assert label["ideal_bits"] == pytest.approx(np.log2(3))


def test_the_claims_are_tested_on_all_seeds_and_the_rest_on_one(two):
    seeds = {share: [s.scenario.seed for s in spoilt] for share, spoilt in by_share(two).items()}
    assert seeds == {0.0: [0, 1], 0.1: [0], 0.2: [0, 1]}
    assert by_share(two)[0.2][0].scenario.data.corruption == 0.2


def test_recipes_are_compared_at_the_same_bits_seed_by_seed():
    def line(slope, start):
        return [{"payload_bits": bits, "accuracy": {"pruned": start + slope * bits}} for bits in (8, 40, 80)]

    rows = at_equal_bits([line(0.001, 0.5), line(0.001, 0.6)], [line(0.002, 0.5), line(0.002, 0.7)])
    assert [row["payload_bits"] for row in rows] == [16, 32, 64]
    assert rows[1]["gain"]["values"] == pytest.approx([0.032, 0.132])
    assert rows[1]["gain"]["mean"] == pytest.approx(0.082)


def test_spread_is_that_of_a_sample_and_one_value_has_none():
    assert over_seeds([1.0, 3.0])["standard_deviation"] == pytest.approx(2**0.5)
    assert over_seeds([1.0])["standard_deviation"] is None


def test_power_of_a_layer_is_fishers_ratio_of_traces():
    draws = np.random.default_rng(3)
    labels = np.arange(3000) % 3
    spread = np.array([1.0, 2.0])
    x = draws.normal(size=(3000, 2)) * spread + labels[:, None] * np.array([3.0, 0.0])
    power = layer_power(x, labels)
    between = 9 * 2 / 3  # variance of class means 0, 3, 6
    assert power["layer_power"] == pytest.approx(between / (1 + 4), rel=0.05)
    assert power["best_power"] == pytest.approx(between, rel=0.05)
    assert power["mean_power"] == pytest.approx(between / 2, rel=0.05)


def test_layers_come_in_the_order_of_the_network(two, do):
    found = fig3.results(two, do(fig3.targets(two)))
    names = [layer["layer"] for layer in found["rows"][0]["layers"]]
    assert names[0] == "stem.2"
    assert names.index("latent") == names.index("bottleneck.2") + 1
    assert names[-1] == "classifier.linear"
    assert [(row["corruption"], row["recipe"]) for row in found["rows"]][:2] == [
        (0.0, "e2e"),
        (0.0, "duphil"),
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s.codec}-{s.quality}-{s.side}")
def test_a_picture_arrives_near_what_was_sent(setting):
    ramp = np.linspace(0, 120, 32)
    pixels = np.repeat((ramp[:, None] + ramp)[:, :, None], 3, axis=2)
    image = Image.fromarray(pixels.astype(np.uint8))
    received, sent_bytes = send(image, setting)
    assert received.size == image.size
    assert 4 < sent_bytes < 1200
    assert np.abs(np.asarray(received).astype(float) - pixels).mean() < 30
