"""One experiment by name, from its steps to its files."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from fleet_sim.basics.errors import UserError, instead
from fleet_sim.data import load
from trainers import checkpoint
from trainers.reproduce import complexity, fig2, fig3, fig4, ordered, presets, table1, transfer
from trainers.reproduce.chart import Chart, svg
from trainers.reproduce.pool import do_all
from trainers.reproduce.store import Step, Store, Subject
from trainers.train import worker_device


class Experiment(Protocol):
    """A module that makes one table or figure of the same subjects, one a seed."""

    def targets(self, subjects: Sequence[Subject]) -> list[Step]:
        """The steps that it reads; what these need follows."""

    def results(self, subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
        """Its figures, from records alone."""

    def charts(self, found: dict[str, Any]) -> list[Chart]:
        """The plot of its figures."""


EXPERIMENTS: dict[str, Experiment] = {
    "table1": cast(Experiment, table1),
    "fig2": cast(Experiment, fig2),
    "fig3": cast(Experiment, fig3),
    "fig4": cast(Experiment, fig4),
    "complexity": cast(Experiment, complexity),
    "ordered": cast(Experiment, ordered),
    "transfer": cast(Experiment, transfer),
}


@dataclass(frozen=True)
class Made:
    """The files of an experiment."""

    figures: Path
    plot: Path


def reproduce(
    name: str,
    dataset: presets.Dataset,
    preset: presets.Preset,
    seeds: int,
    data_path: Path | None,
    out: Path,
    say: Callable[[str], None],
) -> Made:
    """Do what is missing of experiment `name` for seeds 0 to `seeds` - 1 and write its files.

    Steps are kept in `out`/store and used again. Files: `out`/`preset`/`name`.json and .svg, for CIFAR-100
    with the data set in their name. Raises UserError for an unknown name, for missing images and for a
    preset whose device is not here.
    """
    if name not in EXPERIMENTS:
        raise UserError(f"there is no experiment '{name}'; {instead(name, EXPERIMENTS)}")
    experiment = EXPERIMENTS[name]
    scenarios = [presets.scenario(preset, dataset, data_path, seed) for seed in range(seeds)]
    worker_device(scenarios[0], 0)
    images = load(scenarios[0].data, seed=0).content_hash
    subjects = [Subject(scenario, images) for scenario in scenarios]
    store = Store(out / "store")
    # One GPU does one step at a time; processors do one each.
    processes = 1 if scenarios[0].train.device == "cuda" else os.cpu_count() or 1
    do_all(experiment.targets(subjects), store, processes, say)
    found = {
        "experiment": name,
        "dataset": dataset,
        "preset": preset,
        "settings": {
            part: getattr(scenarios[0], part).model_dump(mode="json", exclude_defaults=True)
            for part in ("codec", "train")
        },
        **experiment.results(subjects, store),
    }
    stem = out / preset / (name if dataset == "cifar10" else f"{name}-{dataset}")
    made = Made(stem.with_suffix(".json"), stem.with_suffix(".svg"))
    checkpoint.write(made.figures, (json.dumps(found, indent=1) + "\n").encode())
    checkpoint.write(made.plot, svg(experiment.charts(found)).encode())
    return made
