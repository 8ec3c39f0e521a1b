"""Figure 2: accuracy against bits by pruning; E2E, DuPHiL and the joint loss. R and R_c through phase 1."""

from collections.abc import Sequence
from typing import Any

from trainers.reproduce.chart import Chart, Series
from trainers.reproduce.curve import Curve
from trainers.reproduce.figures import curve_over_seeds, effort, series_of
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train
from trainers.train import Recipe

RECIPES: tuple[Recipe, ...] = ("e2e", "duphil", "joint")
RATES = ("rate", "class_rate")


def _curves(subjects: Sequence[Subject], recipe: Recipe) -> list[Curve]:
    return [Curve(subject, trained=Train(subject, recipe)) for subject in subjects]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """A pruning curve of each recipe and seed."""
    return [curve for recipe in RECIPES for curve in _curves(subjects, recipe)]


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
    return {"rows": rows}


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
            [series for pair in pairs for series in pair],
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
