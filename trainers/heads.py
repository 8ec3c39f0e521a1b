"""Server-side heads, fitted to the frozen encoder's latents.

Shapes: M training images, B batch, N neurons in the encoder's order, K classes, L levels.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.networks import Decoder, build_decoder
from fleet_sim.codec.own_head import head_class
from fleet_sim.codec.own_source import read_source
from fleet_sim.codec.tables import Tables
from fleet_sim.data.corruption import corrupt
from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.scenario import Scenario
from trainers.losses import cross_entropy, soft_divergence
from trainers.networks import PRECISIONS, in_precision, sgd
from trainers.sameness import derived_seed, draws, seeded_weights

Weights = dict[str, NDArray[np.generic]]
Fitted = Callable[[int, int, dict[str, float]], None]
"""(epochs done, epochs in total, figures)"""


@dataclass(frozen=True)
class Latents:
    """Rounded latents of the un-augmented training images, and what a version knows of them."""

    latent_MN: NDArray[np.float32]
    labels_M: NDArray[np.int64]
    classes: int
    tables: Tables


def fit_head(
    head: HeadSpec, scenario: Scenario, latents: Latents, decoder: Decoder, fitted: Fitted
) -> Weights:
    """Weights of `head` as a server loads them.

    `ce` starts from the stage's `decoder`, which stays as it is; `kl` from fresh weights; `svm` is a linear
    support vector machine, `own` what its class makes of the latents. With `tail_drop` latents are seen at
    random levels too, pruned neurons filled. With `wrong_labels` some are those of the next class.
    """
    if head.wrong_labels:
        seed = derived_seed(scenario.seed, f"wrong labels of head {head.name}")
        spoilt_M = corrupt(latents.labels_M, head.wrong_labels, latents.classes, seed, "pair")
        latents = replace(latents, labels_M=spoilt_M)
    if head.kind == "svm":
        weights = _fit_svm(head, scenario, latents)
        fitted(1, 1, {})
        return weights
    if head.kind == "own":
        weights = _fit_own(head, scenario, latents)
        fitted(1, 1, {})
        return weights
    if head.kind == "ce":
        network = deepcopy(decoder)
    else:
        with seeded_weights(scenario.seed, f"head {head.name}"):
            network = build_decoder(scenario.codec, latents.classes)
        network.to(next(decoder.parameters()).device).to(memory_format=torch.channels_last)
    _fit_network(network, head, scenario, latents, fitted)
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


class TailDrop:
    """Pruning at a random level, row by row: a batch of one level would tie its statistics to that level."""

    def __init__(self, tables: Tables, generator: torch.Generator, device: torch.device) -> None:
        place_N = np.empty(tables.neurons, dtype=np.int64)
        place_N[tables.ranking_N] = np.arange(tables.neurons)
        self._place_N = torch.from_numpy(place_N).to(device)
        self._fill_N = torch.from_numpy(tables.fill_N[place_N]).to(device)
        self._ladder_L = torch.from_numpy(tables.ladder_L).to(device)
        self._generator = generator

    def __call__(self, latent_BN: Tensor) -> Tensor:
        """`latent_BN` with each row's worst neurons replaced by their means."""
        level_B = torch.randint(len(self._ladder_L), (len(latent_BN),), generator=self._generator)
        kept_B = self._ladder_L[level_B.to(latent_BN.device)]
        return torch.where(self._place_N < kept_B[:, None], latent_BN, self._fill_N)


def _fit_network(
    network: Decoder, head: HeadSpec, scenario: Scenario, latents: Latents, fitted: Fitted
) -> None:
    spec = scenario.train.head_training
    device, precision = next(network.parameters()).device, PRECISIONS[scenario.train.precision]
    latent_MN = torch.from_numpy(latents.latent_MN).to(device)
    labels_M = torch.from_numpy(latents.labels_M).to(device)
    generator = draws(scenario.seed, f"head {head.name}")
    tail_drop = TailDrop(latents.tables, generator, device) if spec.tail_drop else None
    batch = min(spec.batch, len(labels_M))
    batches = len(labels_M) // batch
    optimiser = sgd(network, scenario.train)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        _with_rate(optimiser, spec.learning_rate), lambda step: _cosine(step / (spec.epochs * batches))
    )
    network.train()
    for epoch in range(spec.epochs):
        total_loss = torch.zeros((), device=device)
        order_M = torch.randperm(len(labels_M), generator=generator).to(device)
        for start in range(0, batches * batch, batch):
            index_B = order_M[start : start + batch]
            latent_BN = latent_MN[index_B]
            if tail_drop is not None:
                latent_BN = tail_drop(latent_BN)
            with in_precision(precision, device):
                logits_BK = network(latent_BN).float()
            if head.kind == "kl":
                loss = soft_divergence(logits_BK, labels_M[index_B], head.label_smoothing)
            else:
                loss = cross_entropy(logits_BK, labels_M[index_B], batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total_loss += loss.detach()
        fitted(epoch + 1, spec.epochs, {"loss": float(total_loss) / batches})


def _with_rate(optimiser: torch.optim.SGD, learning_rate: float) -> torch.optim.SGD:
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    return optimiser


def _cosine(done: float) -> float:
    """From 1 to 0 over `done` from 0 to 1, along half a cosine (Loshchilov and Hutter 2017)."""
    return (1 + float(np.cos(np.pi * done))) / 2


def _at_random_levels(
    head: HeadSpec, scenario: Scenario, latents: Latents, kind: type[np.floating[Any]]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The latents and their labels, with `tail_drop` once more pruned at random levels."""
    latent_MN, labels_M = latents.latent_MN.astype(kind), latents.labels_M
    if scenario.train.head_training.tail_drop:
        tail_drop = TailDrop(latents.tables, draws(scenario.seed, f"head {head.name}"), torch.device("cpu"))
        latent_MN = np.concatenate([latent_MN, tail_drop(torch.from_numpy(latent_MN)).numpy()])
        labels_M = np.concatenate([labels_M, labels_M])
    return latent_MN, labels_M


def _fit_own(head: HeadSpec, scenario: Scenario, latents: Latents) -> Weights:
    """What the user's class makes of the latents."""
    if head.path is None or head.class_name is None:
        raise ValueError("a head of kind own has a path and a class_name")  # HeadSpec sees to it
    latent_MN, labels_M = _at_random_levels(head, scenario, latents, np.float32)
    what = f"train.heads: {head.class_name}.fit of head '{head.name}'"
    found = head_class(read_source(head.path, head.class_name), head.class_name)
    try:
        seed = derived_seed(scenario.seed, f"head {head.name}")
        weights = {
            name: np.asarray(array)
            for name, array in found.fit(latent_MN, labels_M, latents.classes, seed).items()
        }
    except Exception as error:
        raise UserError(f"{what} raised {error!r}") from error
    if odd := [name for name, array in weights.items() if array.dtype.kind not in "biuf"]:
        raise UserError(f"{what} gave {odd[0]}, which is no array of numbers")
    return weights


def _fit_svm(head: HeadSpec, scenario: Scenario, latents: Latents) -> Weights:
    """One-against-rest on standardised latents; the standardisation is folded into the weights."""
    # Here and not above: it takes a second to import, and a Ray job's driver and controller never need it.
    from sklearn.svm import LinearSVC

    latent_MN, labels_M = _at_random_levels(head, scenario, latents, np.float64)
    mean_N, deviation_N = latent_MN.mean(axis=0), latent_MN.std(axis=0)
    deviation_N[deviation_N == 0] = 1
    machine = LinearSVC(dual=False, random_state=derived_seed(scenario.seed, f"head {head.name}") % 2**32)
    machine.fit((latent_MN - mean_N) / deviation_N, labels_M)
    coef_KN = np.zeros((latents.classes, latent_MN.shape[1]))
    # A class without training images is never the answer.
    intercept_K = np.full(latents.classes, -np.inf)
    if len(machine.classes_) == 2:  # scikit-learn gives one row for two classes
        coef, intercept = (
            np.vstack([-machine.coef_, machine.coef_]),
            np.append(-machine.intercept_, machine.intercept_),
        )
    else:
        coef, intercept = machine.coef_, machine.intercept_
    coef_KN[machine.classes_] = coef / deviation_N
    intercept_K[machine.classes_] = intercept - (coef / deviation_N) @ mean_N
    return {"coef_KN": coef_KN.astype(np.float32), "intercept_K": intercept_K.astype(np.float32)}
