"""Figure 3: discriminative power layer by layer on the test set, with and without corrupted labels."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.chart import Chart, Series
from trainers.reproduce.corrupted import by_share
from trainers.reproduce.figures import effort, over_seeds
from trainers.reproduce.power import Power
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

RECIPES: tuple[Recipe, ...] = ("e2e", "duphil")
MEASURES = ("layer_power", "mean_power", "best_power")


def _powers(subjects: Sequence[Subject], recipe: Recipe) -> list[Power]:
    return [Power(subject, trained=Train(subject, recipe)) for subject in subjects]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """Both recipes at every share of spoilt labels."""
    return [
        power
        for spoilt in by_share(subjects).values()
        for recipe in RECIPES
        for power in _powers(spoilt, recipe)
    ]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """A row a share and recipe: each layer's three figures over seeds."""
    rows = []
    for share, spoilt in by_share(subjects).items():
        for recipe in RECIPES:
            powers = _powers(spoilt, recipe)
            by_seed = [store.figures(power)["layers"] for power in powers]
            layers = [
                {"layer": same[0]["layer"]} | {m: over_seeds([s[m] for s in same]) for m in MEASURES}
                for same in zip(*by_seed, strict=True)
            ]
            made_by = effort([power.trained for power in powers], store, after=powers)
            rows.append({"corruption": share, "recipe": recipe, "layers": layers, **made_by})
    return {"rows": rows}


def charts(found: dict[str, Any]) -> list[Chart]:
    """Layers from camera to answer; solid DuPHiL, dashed E2E, a colour a share."""
    shares = sorted({row["corruption"] for row in found["rows"]})
    series = [
        Series(
            name=f"{row['recipe']}, {row['corruption']:.0%} corrupted",
            x=range(len(row["layers"])),
            y=[layer["layer_power"]["mean"] for layer in row["layers"]],
            colour=shares.index(row["corruption"]),
            dash=0 if row["recipe"] == "duphil" else 1,
        )
        for row in found["rows"]
    ]
    numbers = [str(place + 1) for place in range(len(found["rows"][0]["layers"]))]
    title = "Discriminative power by layer, test images"
    return [Chart(title, "layer, from camera to answer", "tr(S_b) / tr(S_w)", series, categories=numbers)]
