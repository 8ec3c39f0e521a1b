"""Figure 2: accuracy against bits by pruning; E2E, DuPHiL and the joint loss. R and R_c through phase 1."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.baselines import Baselines
from trainers.reproduce.chart import Chart, Series
from trainers.reproduce.curve import Curve
from trainers.reproduce.figures import (
    at_equal_bits,
    baselines_over_seeds,
    curve_over_seeds,
    effort,
    series_of,
)
from trainers.reproduce.still import QUALITIES
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

RECIPES: tuple[Recipe, ...] = ("e2e", "duphil", "joint")
RATES = ("rate", "class_rate")


def _curves(subjects: Sequence[Subject], recipe: Recipe) -> list[Curve]:
    return [Curve(subject, trained=Train(subject, recipe)) for subject in subjects]


def _baselines(subjects: Sequence[Subject]) -> list[Baselines]:
    return [Baselines(subject, trained=Train(subject, "e2e")) for subject in subjects]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """A pruning curve of each recipe and seed, and what simpler ways reach."""
    return [*(curve for recipe in RECIPES for curve in _curves(subjects, recipe)), *_baselines(subjects)]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """A curve a recipe, and the coding rates (nats) of each seed and epoch where a recipe has them."""
    pixels = subjects[0].scenario.data.image_size ** 2
    rows = []
    for recipe in RECIPES:
        curves = _curves(subjects, recipe)
        histories = [store.figures(curve.trained)["history"] for curve in curves]
        rows.append(
            {
                "recipe": recipe,
                "levels": curve_over_seeds([store.figures(curve)["levels"] for curve in curves], pixels),
                "rates": {
                    name: [[epoch[name] for epoch in history] for history in histories]
                    for name in RATES
                    if name in histories[0][0]
                },
                **effort([curve.trained for curve in curves], store, after=curves),
            }
        )
    levels = {
        recipe: [store.figures(curve)["levels"] for curve in _curves(subjects, recipe)] for recipe in RECIPES
    }
    gains = {
        f"{other}_over_e2e": at_equal_bits(levels["e2e"][: len(levels[other])], levels[other])
        for other in RECIPES[1:]
    }
    simpler = baselines_over_seeds([store.figures(step) for step in _baselines(subjects)])
    return {"rows": rows, **gains, "baselines": simpler}


def _baseline_series(simpler: dict[str, Any]) -> list[Series]:
    label = simpler["label"]
    points = [
        Series(
            "label from the camera", [label["payload_bits"]], [100 * label["test_accuracy"]["mean"]], colour=6
        )
    ]
    for colour, codec in enumerate(QUALITIES, start=3):
        rows = sorted(
            (r for r in simpler["pictures"] if r["codec"] == codec), key=lambda r: float(r["payload_bits"])
        )
        bits, accuracy = ([r["payload_bits"] for r in rows], [100 * r["test_accuracy"]["mean"] for r in rows])
        points.append(Series(f"{codec} to the server", bits, accuracy, colour=colour, line=False))
    return points


def charts(found: dict[str, Any]) -> list[Chart]:
    """Accuracy against bits, as the paper reads pruned latents and with a refitted layer; coding rates."""
    pairs = [
        (
            series_of(row["levels"], "tuned", row["recipe"], i),
            series_of(row["levels"], "refitted", f"{row['recipe']}, refitted", i, 1),
        )
        for i, row in enumerate(found["rows"])
    ]
    panels = [
        Chart(
            "Accuracy against bits by pruning (307 payload bits are 0.3 bpp)",
            "payload bits a frame",
            "test accuracy (%)",
            [*(series for pair in pairs for series in pair), *_baseline_series(found["baselines"])],
            logarithmic=True,
        )
    ]
    for colour, row in enumerate(found["rows"]):
        if row["rates"]:
            first_seed = [row["rates"][name][0] for name in RATES]
            epochs = range(1, len(first_seed[0]) + 1)
            series = [
                Series(word, list(epochs), rates, colour=colour, dash=dash)
                for dash, (word, rates) in enumerate(zip(("R", "R_c"), first_seed, strict=True))
            ]
            panels.append(Chart(f"Coding rates through {row['recipe']}, first seed", "epoch", "nats", series))
    return panels
