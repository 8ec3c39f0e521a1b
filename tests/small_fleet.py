"""A fleet small enough for tests: digits, an untrained encoder, and linear heads fitted to its latents."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host, LocalHost
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.registry_actor import ModelRegistry
from fleet_sim.cluster.released import Deployed, Update
from fleet_sim.cluster.scenes import scenes_of
from fleet_sim.cluster.sends import sends_of
from fleet_sim.cluster.session import Session
from fleet_sim.codec.camera import raw_latents
from fleet_sim.codec.contract import contract, contract_hash
from fleet_sim.codec.networks import build_encoder
from fleet_sim.codec.tables import Tables
from fleet_sim.data.dataset import Dataset
from fleet_sim.engine.counts import Counts
from fleet_sim.registry import Registry
from fleet_sim.registry.lessons import Lessons
from fleet_sim.scenario import Scenario, update_times_us

HEADS = ("plain", "shifted")
FRESH = {"name": "fresh", "kind": "svm"}
ORDERS = {  # the class whose place each answer of a head takes
    "plain": range(10),
    "shifted": [9, *range(9)],
    "twin": range(10),
    "worse": [2, 0, 1, *range(3, 10)],
}


def tiny_scenario(**fields: object) -> Scenario:
    base: dict[str, object] = {
        "name": "tiny",
        "duration_us": "6 s",
        "audit": 0.05,
        "data": {"source": "digits", "scenes": 40},
        "codec": {"depth": "tiny", "width": 4, "neurons": 16, "ladder": [1, 4, 16], "batch": 16},
        "fleet": {"cameras": 30, "cells": 5, "frame_period_us": "500 ms"},
        "link": {"budget_bps": "6 kbit/s", "buffer_bytes": 300},
        "serving": {"head": "plain", "servers": 2},
        "train": {"heads": [{"name": name, "kind": "svm"} for name in HEADS], "flip": False},
        "cluster": {"backend": "local", "shards": 2, "epoch_us": "2 s"},
    }
    return Scenario.model_validate({**base, **fields})


def publish_untrained(scenario: Scenario, dataset: Dataset, models: Path, weights_seed: int) -> Deployed:
    """An encoder with random weights still tells digits apart; its heads are linear discriminants."""
    torch.manual_seed(weights_seed)
    encoder = build_encoder(scenario.codec).eval()
    raw_MN = torch.from_numpy(raw_latents(encoder, scenario.codec, dataset.train_images_NHWC, "cpu"))
    last = [module for module in encoder.modules() if isinstance(module, torch.nn.Linear)][-1]
    scale_N = 4 / raw_MN.std(dim=0).clamp(min=1e-6)  # so that rounding leaves some information
    with torch.no_grad():
        last.weight *= scale_N[:, None]
        last.bias.copy_((last.bias - raw_MN.mean(dim=0)) * scale_N)
    latent_MN = np.rint(raw_latents(encoder, scenario.codec, dataset.train_images_NHWC, "cpu")).astype(
        np.int32
    )
    tables = Tables.fit(latent_MN, dataset.train_labels_N, scenario.codec.ladder)
    agreed = contract(scenario.codec, tables)
    registry = Registry(models)
    common = {
        "recipe": scenario.train.recipe,
        "seed": weights_seed,
        "codec": scenario.codec.model_dump(mode="json"),
        "classes": 10,
        "contract_hash": contract_hash(agreed),
    }
    weights = {name: tensor.numpy() for name, tensor in encoder.state_dict().items()}
    encoder_id = registry.publish(
        "encoder", {**common, "contract": agreed}, {"weights": weights, "tables": tables.to_arrays()}
    )
    linear = LinearDiscriminantAnalysis().fit(latent_MN, dataset.train_labels_N)
    heads = {}
    for name in (head.name for head in scenario.train.heads):
        order = list(ORDERS[name])
        fitted = {
            "coef_KN": linear.coef_[order].astype(np.float32),
            "intercept_K": linear.intercept_[order].astype(np.float32),
        }
        manifest = {**common, "head": {"name": name, "kind": "svm"}, "encoder": encoder_id}
        heads[name] = registry.publish("head", manifest, {"weights": fitted})
    return Deployed(encoder_id, heads)


def updates_of(scenario: Scenario, dataset: Dataset, models: Path, bad: int = 0) -> list[Update]:
    """The scenario's updates, untrained; of the bad one "plain" is mostly wrong."""
    updates = []
    for version, at_us in enumerate(update_times_us(scenario), 1):
        made = publish_untrained(scenario, dataset, models, weights_seed=1 + version)
        if version == bad:
            made = Deployed(made.encoder, made.heads | {"plain": made.heads["shifted"]})
        updates.append(Update(at_us, partial(Deployed, made.encoder, made.heads)))
    return updates


class Linear:
    """Fits linear discriminants to the lessons, and remembers these."""

    def __init__(self, models: Path):
        self.models, self.lessons = models, list[Lessons]()

    def __call__(self, place: int, lessons: Lessons) -> str:
        self.lessons.append(lessons)
        tables = Tables.from_arrays(lessons.encoder.tensors["tables"])
        received = lessons.received
        fitted = LinearDiscriminantAnalysis().fit(received.filled(tables), received.label_M)
        coef_KN, intercept_K = np.zeros((10, tables.neurons)), np.full(10, -np.inf)
        coef_KN[fitted.classes_], intercept_K[fitted.classes_] = fitted.coef_, fitted.intercept_
        weights = {"coef_KN": coef_KN.astype(np.float32), "intercept_K": intercept_K.astype(np.float32)}
        common = ("classes", "contract_hash")
        manifest = {name: lessons.encoder.manifest[name] for name in common} | {"head": FRESH}
        return Registry(self.models).publish("head", manifest, {"weights": weights})


def ways(shards: int, epoch_us: int, mode: str) -> list[dict[str, Any]]:
    """Fields of two runs that have to come to the same: of a usual one, and of this one."""
    return [
        {"mode": how, "cluster": {"backend": "local", "shards": number, "epoch_us": us}}
        for number, us, how in ((2, 3_000_000, "bank"), (shards, epoch_us, mode))
    ]


class Watching:
    """A watcher that calls `at` with every virtual time reached, and `banked` with every part of a bank."""

    def __init__(
        self,
        at: Callable[[int], None] = lambda virtual_us: None,
        banked: Callable[[int], None] = lambda scenes: None,
    ):
        self._at, self._banked = at, banked

    def bank(self, done: int, total: int) -> None:
        self._banked(done)

    def advance(self, virtual_us: int, of_us: int) -> None:
        self._at(virtual_us)


def simulated(
    host: Host,
    scenario: Scenario,
    dataset: Dataset,
    models: Path,
    *,
    update_at_us: int | None = None,
    update_seed: int = 2,
    watcher: Watching | None = None,
    export: Export | None = None,
    before: Callable[[str], None] = lambda event: None,
    fit: Callable[[int, Lessons], str] | None = None,
) -> tuple[Session, Counts]:
    """One sweep point with an untrained version, and from `update_at_us` on with one of other weights.

    `fit` makes the heads that the scenario has retrained.
    """
    watcher = watcher or Watching()
    session = Session(
        host,
        Member(host, "model-registry", ModelRegistry, models, cpus=0),
        scenario,
        scenes_of(dataset, scenario),
        scenario.serving.servers,
        [export or Export()],
        watcher.bank,
        (sends_of(scenario),),
    )
    before("deploy")
    session.deploy(publish_untrained(scenario, dataset, models, weights_seed=1))
    updates = []
    if update_at_us is not None:
        second = publish_untrained(scenario, dataset, models, update_seed)

        def trained() -> Deployed:
            before("update")
            return second

        updates = [Update(update_at_us, trained)]
    retraining = session.retraining(scenario, fit) if fit else None
    return session, session.simulate(scenario, watcher, updates, retraining=retraining)


class ForgetfulHost(LocalHost):
    """Before every call numbered so, of all calls of these methods, its member loses all that it was told."""

    def __init__(self, at: set[int], methods: Sequence[str] = ("step",)):
        super().__init__()
        self._at, self._methods, self.calls = at, methods, 0

    def spawn(self, *args: Any, **options: Any) -> Any:
        handle = super().spawn(*args, **options)
        do = handle.do
        handle.do = lambda *told: copy.deepcopy(do(*told))  # as if it went through an object store
        return handle

    def call(self, handle: Any, method: str, *args: object, returns: int = 1) -> list[Any]:
        if method == "do" and args[2] in self._methods:
            self.calls += 1
            if self.calls in self._at:
                super().call(handle, "forget")
        return super().call(handle, method, *args, returns=returns)
