"""Beyond the paper: one set of weights for every rate, against pruning as in the paper.

Levels are chosen on validation images: for a number of bits, the level with the best validation accuracy
among those whose validation payloads keep to it in the mean.
"""

from collections.abc import Sequence
from typing import Any

from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.bd_rate import bd_rate
from trainers.reproduce.chart import Chart
from trainers.reproduce.curve import Curve
from trainers.reproduce.figures import curve_over_seeds, effort, over_seeds, series_of
from trainers.reproduce.rungs import Rungs
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

BUDGETS = (12, 16, 20, 24, 32, 48)
"""Payload bits a frame at most."""
PRUNED: tuple[Recipe, ...] = ("e2e", "duphil")
WAYS = ("tuned", "refitted")
"""Of reading a pruned latent: as the paper does, and better."""

Levels = list[dict[str, Any]]


def _rungs(subjects: Sequence[Subject]) -> list[Rungs]:
    return [Rungs(subject, trained=Train(subject, "ordered")) for subject in subjects]


def _curves(subjects: Sequence[Subject], recipe: Recipe) -> list[Curve]:
    return [Curve(subject, trained=Train(subject, recipe)) for subject in subjects]


def _control(subjects: Sequence[Subject]) -> list[Rungs]:
    """The same further epochs of the first seed with neither levels nor bits: what epochs alone bring."""
    scenario = subjects[0].scenario
    ordered = scenario.train.ordered.model_copy(update={"rate_weight": 0.0})
    update = {
        "train": scenario.train.model_copy(update={"ordered": ordered}),
        "codec": scenario.codec.model_copy(update={"ladder": (scenario.codec.neurons,)}),
    }
    return _rungs([Subject(scenario.model_copy(update=update), subjects[0].images)])


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """Ordered, the pruning curves it is held against, and a control."""
    pruned = [curve for recipe in PRUNED for curve in _curves(subjects, recipe)]
    return [*_rungs(subjects), *pruned, *_control(subjects)]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """The curve, what it reaches within few bits, and how many bits fewer it needs than pruning."""
    pixels = subjects[0].scenario.data.image_size ** 2
    rungs = _rungs(subjects)
    ordered = [store.figures(step)["levels"] for step in rungs]
    pruned = {recipe: [store.figures(c)["levels"] for c in _curves(subjects, recipe)] for recipe in PRUNED}
    whole = [levels[-1]["accuracy"]["pruned"] for levels in pruned["e2e"]]
    control = _control(subjects)
    return {
        "levels": curve_over_seeds(ordered, pixels),
        "pruned": {recipe: curve_over_seeds(curves, pixels) for recipe, curves in pruned.items()},
        "e2e_all_neurons": {
            "payload_bits": over_seeds([levels[-1]["payload_bits"] for levels in pruned["e2e"]]),
            "test_accuracy": over_seeds(whole),
        },
        "further_epochs_without_levels_or_bits": {
            **_against([store.figures(step)["levels"][-1] for step in control], whole[:1]),
            **effort([step.trained for step in control], store, after=control),
        },
        "within": [_within(bits, ordered, whole) for bits in BUDGETS],
        "highest_level": _against([levels[-1] for levels in ordered], whole),
        "bd_rate_per_cent": {
            f"{recipe}, {way}": _saving(curves, way, ordered)
            for recipe, curves in pruned.items()
            for way in WAYS
        },
        **effort([step.trained for step in rungs], store, after=rungs),
    }


def _within(bits: int, ordered: Sequence[Levels], whole: Sequence[float]) -> dict[str, Any]:
    chosen = []
    for levels in ordered:
        fitting = [level for level in levels if level["validation_payload_bits"] <= bits]
        if not fitting:
            return {"bits": bits, "level": None}
        chosen.append(max(fitting, key=lambda level: level["validation_accuracy"]))
    return {"bits": bits, **_against(chosen, whole)}


def _against(chosen: Levels, whole: Sequence[float]) -> dict[str, Any]:
    """One level a seed, against E2E with all neurons."""
    accuracy = [level["accuracy"]["ordered"] for level in chosen]
    return {
        "neurons": [level["neurons"] for level in chosen],
        "payload_bits": over_seeds([level["payload_bits"] for level in chosen]),
        "test_accuracy": over_seeds(accuracy),
        "points_above_e2e": over_seeds([100 * (a - b) for a, b in zip(accuracy, whole, strict=True)]),
    }


def _saving(pruned: Sequence[Levels], way: str, ordered: Sequence[Levels]) -> dict[str, Any] | None:
    savings = [
        bd_rate(
            [(level["payload_bits"], level["accuracy"][way]) for level in anchor],
            [(level["payload_bits"], level["accuracy"]["ordered"]) for level in test],
        )
        for anchor, test in zip(pruned, ordered, strict=True)
    ]
    found = [saving for saving in savings if saving is not None]
    return over_seeds(found) if len(found) == len(savings) else None


def charts(found: dict[str, Any]) -> list[Chart]:
    """Accuracy against payload bits."""
    series = [series_of(found["levels"], "ordered", "ordered", 0)]
    for colour, (recipe, levels) in enumerate(found["pruned"].items(), start=1):
        series += [
            series_of(levels, way, f"{recipe}, {way}", colour, dash + 1) for dash, way in enumerate(WAYS)
        ]
    title = "One set of weights for every rate, against pruning"
    return [Chart(title, "payload bits a frame", "test accuracy (%)", series, logarithmic=True)]
