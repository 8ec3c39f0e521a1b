"""What a frozen encoder tells about questions it was not trained for.

CIFAR-10: encoders of its ten classes and encoders of animal/machine, both asked both; the former also
CIFAR-100's hundred classes on CIFAR-100's images. CIFAR-100: encoders of its 20 coarse classes, asked
these and the hundred fine ones. One head a question, on the same latents and ladder.

The rate term of the recipe `ordered` silences what does not help with the labels trained on. A smaller
`train.ordered.rate_weight` leaves more: `ordered` and `ordered, generous` show what is traded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fleet_sim.data import load
from fleet_sim.scenario.parts import Recipe
from trainers.reproduce.chart import Chart
from trainers.reproduce.figures import curve_over_seeds, effort, series_of
from trainers.reproduce.questions import Ask, other_question
from trainers.reproduce.store import Step, Store, Subject
from trainers.reproduce.training import Train

ENCODERS: dict[str, tuple[Recipe, float]] = {
    "e2e": ("e2e", 1.0),
    "duphil": ("duphil", 1.0),
    "ordered": ("ordered", 1.0),
    "ordered, generous": ("ordered", 0.1),
}
"""Recipe, and the factor on its rate weight."""
TRAINED_ON = {"cifar10": ("own", "animals"), "cifar100": ("coarse",)}
"""Label sets that encoders of a data set are trained on."""
ASKED = {"cifar10": ("own", "animals"), "cifar100": ("coarse", "own")}
"""Label sets that they are asked."""


@dataclass(frozen=True)
class _Question:
    """Who is asked what: labels trained on, (source, labels) asked, and one step a seed."""

    encoder: str
    trained_on: str
    asked: tuple[str, str]
    steps: list[Ask]


def _questions(subjects: Sequence[Subject]) -> Iterator[_Question]:
    source = subjects[0].scenario.data.source
    for trained_on in TRAINED_ON[source]:
        bases = [other_question(subject, labels=trained_on) for subject in subjects]
        asked = [
            (source, labels, [other_question(s, labels=labels) for s in subjects]) for labels in ASKED[source]
        ]
        if (source, trained_on) == ("cifar10", "own"):
            asked.append(("cifar100", "own", _on_cifar100(subjects)))
        for name, (recipe, factor) in ENCODERS.items():
            encoders = [Train(_weighted(base, factor), recipe) for base in bases]
            for where, labels, questions in asked:
                steps = [Ask(q, trained=encoder) for q, encoder in zip(questions, encoders, strict=True)]
                yield _Question(name, trained_on, (where, labels), steps)


def _weighted(subject: Subject, factor: float) -> Subject:
    train = subject.scenario.train
    ordered = train.ordered.model_copy(update={"rate_weight": factor * train.ordered.rate_weight})
    scenario = subject.scenario.model_copy(update={"train": train.model_copy(update={"ordered": ordered})})
    return Subject(scenario, subject.images)


def _on_cifar100(subjects: Sequence[Subject]) -> list[Subject]:
    """The same seeds on CIFAR-100, which lies where CIFAR-10 does: in the folder, or beside the .npz file."""
    found = []
    for subject in subjects:
        path = subject.scenario.data.path
        beside = path.parent if path is not None and path.suffix == ".npz" else path
        found.append(other_question(subject, source="cifar100", path=beside))
    images = load(found[0].scenario.data, seed=0).content_hash
    return [Subject(subject.scenario, images) for subject in found]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """Every question to every encoder."""
    return [step for question in _questions(subjects) for step in question.steps]


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """A curve an encoder and question."""
    pixels = subjects[0].scenario.data.image_size ** 2
    return {
        "rows": [
            {
                "encoder": question.encoder,
                "trained_on": question.trained_on,
                "asked": list(question.asked),
                "levels": curve_over_seeds([store.figures(s)["levels"] for s in question.steps], pixels),
                **effort([step.trained for step in question.steps], store, after=question.steps),
            }
            for question in _questions(subjects)
        ]
    }


def charts(found: dict[str, Any]) -> list[Chart]:
    """A panel a pair of labels trained on and asked."""
    panels: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in found["rows"]:
        panels.setdefault((row["trained_on"], *row["asked"]), []).append(row)
    return [
        Chart(
            f"Encoder of {found['dataset']} {trained_on}, asked {where} {labels}",
            "payload bits a frame",
            "test accuracy (%)",
            [series_of(row["levels"], "asked", row["encoder"], i) for i, row in enumerate(rows)],
            logarithmic=True,
        )
        for (trained_on, where, labels), rows in panels.items()
    ]
