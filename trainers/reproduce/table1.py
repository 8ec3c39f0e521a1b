"""Table 1: three classifiers retrained from scratch on the frozen encoder, E2E against DuPHiL."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.chart import Chart, Series
from trainers.reproduce.figures import effort, over_seeds
from trainers.reproduce.heads import FitHead
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

RECIPES: tuple[Recipe, ...] = ("e2e", "duphil")
HEADS = (HeadSpec(name="ce", kind="ce"), HeadSpec(name="kl", kind="kl"), HeadSpec(name="svm", kind="svm"))
PAPER = {  # test accuracy in per cent: (E2E, DuPHiL)
    "cifar10": {"ce": (92.64, 92.77), "kl": (92.63, 92.75), "svm": (92.1, 92.37)},
    "cifar100": {"ce": (68.54, 69.83), "kl": (68.45, 69.79), "svm": (64.69, 65.37)},
}


def _fits(subjects: Sequence[Subject], recipe: Recipe, head: HeadSpec) -> list[FitHead]:
    return [FitHead(subject, trained=Train(subject, recipe), head=head) for subject in subjects]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """Both recipes, each with its three classifiers, for every seed."""
    return [fit for recipe in RECIPES for head in HEADS for fit in _fits(subjects, recipe, head)]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """A row a recipe and classifier: accuracies at full level, and the paper's."""
    paper = PAPER.get(subjects[0].scenario.data.source)
    rows = []
    for column, recipe in enumerate(RECIPES):
        for head in HEADS:
            fits = _fits(subjects, recipe, head)
            found = [store.figures(fit) for fit in fits]
            rows.append(
                {
                    "recipe": recipe,
                    "classifier": head.name,
                    "test_accuracy": over_seeds([f["test_accuracy"] for f in found]),
                    "validation_accuracy": over_seeds([f["validation_accuracy"] for f in found]),
                    "paper_test_accuracy": paper[head.name][column] / 100 if paper else None,
                    **effort([fit.trained for fit in fits], store, after=fits),
                }
            )
    return {"rows": rows}


def charts(found: dict[str, Any]) -> list[Chart]:
    """A point a classifier and recipe."""
    series = []
    for colour, recipe in enumerate(RECIPES):
        accuracy = [row["test_accuracy"] for row in found["rows"] if row["recipe"] == recipe]
        series.append(
            Series(
                name=recipe,
                x=[place + 0.1 * (2 * colour - 1) for place in range(len(HEADS))],
                y=[100 * a["mean"] for a in accuracy],
                spread=[100 * (a["standard_deviation"] or 0) for a in accuracy],
                colour=colour,
                line=False,
            )
        )
    words = [head.name for head in HEADS]
    title = "Classifiers retrained on the frozen encoder"
    return [Chart(title, "classifier", "test accuracy (%)", series, categories=words)]
