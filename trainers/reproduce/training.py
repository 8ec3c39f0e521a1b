"""The stages of training as steps."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fleet_sim.scenario.parts import Recipe
from trainers import checkpoint, networks
from trainers.networks import Networks
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.sameness import deterministic
from trainers.stage import run
from trainers.train import CHAIN, build_stage, stage_settings, worker_device
from trainers.workers import Workers


@dataclass(frozen=True)
class Train(Step):
    """The last stage of a recipe, on the weights of the stages before it."""

    recipe: Recipe = "e2e"

    @property
    def kind(self) -> str:
        """The stage's name."""
        return self.recipe

    @property
    def before(self) -> "Train | None":
        """The stage whose weights this one starts from."""
        chain = CHAIN[self.recipe]
        return Train(self.subject, chain[-2]) if len(chain) > 1 else None

    @property
    def needs(self) -> tuple[Step, ...]:
        """The stage before."""
        return (self.before,) if self.before else ()

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Images, networks and schedule."""
        return self.subject.data_settings | stage_settings(self.subject.scenario, CHAIN[self.recipe])

    @property
    def cost(self) -> float:
        """Passes over the images."""
        return float(getattr(self.subject.scenario.train, self.recipe).epochs)

    def run(self, store: Store, progress: Progress) -> Record:
        """Train to the end, from the last finished epoch where there is one."""
        scenario = self.subject.scenario
        device = worker_device(scenario, 0)
        with deterministic(scenario.train.threads):
            dataset = self.subject.dataset()
            nets = networks.build(scenario, len(dataset.class_names), device)
            if self.before:
                load_networks(store, self.before, nets)
            stage = build_stage(CHAIN[self.recipe], scenario, nets, dataset, Workers(), device)
            unfinished = store.tensors(self).with_suffix(".unfinished")
            trained = run(stage, unfinished, progress)
            checkpoint.write(
                store.tensors(self), stage.state(trained.history, trained.cpu_s).result().to_bytes()
            )
            unfinished.unlink()
        figures = {"epochs": len(trained.history), "history": list(trained.history)}
        return {"figures": figures, "cpu_s": trained.cpu_s}

    def chain(self) -> "tuple[Train, ...]":
        """This stage and all before it, the first one first."""
        return (*(self.before.chain() if self.before else ()), self)


def load_networks(store: Store, step: Train, nets: Networks) -> None:
    """Put the weights that `step` left into `nets`, on their device."""
    saved = _saved(store, step)
    for name in ("encoder", "side", "decoder"):
        if name in saved:
            getattr(nets, name).load_state_dict(saved[name])


def saved_weights(store: Store, step: Train, name: str) -> dict[str, NDArray[np.generic]]:
    """The weights of one network ("encoder", "decoder") as `step` left them, to run as it is deployed."""
    return {key: tensor.numpy() for key, tensor in _saved(store, step)[name].items()}


def _saved(store: Store, step: Train) -> dict[str, dict[str, Tensor]]:
    file = store.tensors(step)
    return checkpoint.parse(file.read_bytes(), file).tensors
