"""Figure 4: accuracy against bits where a share of the training labels is spoilt, E2E against DuPHiL."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.chart import Chart
from trainers.reproduce.corrupted import by_share
from trainers.reproduce.curve import Curve
from trainers.reproduce.figures import at_equal_bits, curve_over_seeds, effort, series_of
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

RECIPES: tuple[Recipe, ...] = ("e2e", "duphil")


def _curves(subjects: Sequence[Subject], recipe: Recipe) -> list[Curve]:
    return [Curve(subject, trained=Train(subject, recipe)) for subject in subjects]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """Both recipes' pruning curves at every share of spoilt labels."""
    return [
        curve
        for spoilt in by_share(subjects).values()
        for recipe in RECIPES
        for curve in _curves(spoilt, recipe)
    ]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """A row a share and recipe with its curve; and at each share DuPHiL's gain at equal bits."""
    pixels = subjects[0].scenario.data.image_size ** 2
    rows, gains = [], []
    for share, spoilt in by_share(subjects).items():
        levels = {}
        for recipe in RECIPES:
            curves = _curves(spoilt, recipe)
            levels[recipe] = [store.figures(curve)["levels"] for curve in curves]
            rows.append(
                {
                    "corruption": share,
                    "recipe": recipe,
                    "levels": curve_over_seeds(levels[recipe], pixels),
                    **effort([curve.trained for curve in curves], store, after=curves),
                }
            )
        gains.append({"corruption": share, "at": at_equal_bits(levels["e2e"], levels["duphil"])})
    return {"rows": rows, "duphil_over_e2e": gains}


def charts(found: dict[str, Any]) -> list[Chart]:
    """A colour a share; solid DuPHiL, dashed E2E; pruned latents read as in the paper."""
    shares = sorted({row["corruption"] for row in found["rows"]})
    series = [
        series_of(
            row["levels"],
            "tuned",
            f"{row['recipe']}, {row['corruption']:.0%} corrupted",
            shares.index(row["corruption"]),
            0 if row["recipe"] == "duphil" else 1,
        )
        for row in found["rows"]
    ]
    title = "Accuracy against bits with spoilt training labels"
    return [Chart(title, "payload bits a frame", "test accuracy (%)", series, logarithmic=True)]
