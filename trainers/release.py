"""From trained networks to published versions: tables, heads, validation figures, manifests.

Everything here follows from training and validation images; test images are never touched. Shapes: M images,
N neurons, L levels.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.camera import FrozenEncoder, raw_latents
from fleet_sim.codec.contract import contract, contract_hash
from fleet_sim.codec.head import load_head
from fleet_sim.codec.own_source import read_source
from fleet_sim.codec.tables import Tables
from fleet_sim.data import Dataset
from fleet_sim.registry.grid import on_grid
from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.scenario import Scenario
from trainers.heads import Latents, Weights, fit_head
from trainers.networks import Networks
from trainers.ordered import trained_ranking
from trainers.stage import Progress

Publish = Callable[[str, dict[str, Any], dict[str, dict[str, NDArray[np.generic]]]], str]
"""(kind "encoder" or "head", manifest, tensors by file and name) -> id"""


@dataclass(frozen=True)
class Released:
    """Ids of an encoder and of its heads by name."""

    encoder: str
    heads: dict[str, str]


def release(
    scenario: Scenario,
    recipe: str,
    dataset: Dataset,
    networks: Networks,
    figures: Mapping[str, float],
    parent: str | None,
    publish: Publish,
    progress: Progress,
) -> Released:
    """Fit tables and heads to the frozen encoder and publish the encoder, then its heads.

    A head `ce` of the recipe `ordered` is the decoder as its stage left it. `figures` are those of training;
    `parent` is the version it continued from. Raises UserError when the encoder's values cannot be sent.
    """
    codec, train, classes = scenario.codec, scenario.train, len(dataset.class_names)
    # In the layout of what is deployed, whose kernels round differently.
    encoder_network = deepcopy(networks.encoder).to(memory_format=torch.contiguous_format)
    weights: Weights = {name: t.cpu().numpy() for name, t in encoder_network.state_dict().items()}
    if train.weight_bits is not None:  # before anything is measured on it
        weights = on_grid(weights, train.weight_bits)
        encoder_network.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    raw_MN = raw_latents(encoder_network, codec, dataset.train_images_NHWC, train.device)
    if not (np.abs(raw_MN) < 2**30).all():
        raise UserError("training diverged: latents are not finite or huge; lower the learning rates")
    rounded_MN = np.rint(raw_MN)
    ranking_N = trained_ranking(scenario, recipe)
    tables = Tables.fit(rounded_MN.astype(np.int32), dataset.train_labels_N, codec.ladder, ranking_N)
    common = {
        "recipe": recipe,
        "seed": scenario.seed,
        "codec": codec.model_dump(mode="json"),
        "classes": classes,
        "contract_hash": contract_hash(contract(codec, tables)),
    }
    payload_bits_L = tables.mean_payload_bits_L.tolist()
    encoder = publish(
        "encoder",
        common
        | {
            "kind": "encoder",
            "class_names": list(dataset.class_names),
            "contract": contract(codec, tables),
            "data": {
                "source": scenario.data.source,
                "labels": scenario.data.labels,
                "content_hash": dataset.content_hash,
                "corruption": scenario.data.corruption,
                "corruption_kind": scenario.data.corruption_kind,
            },
            "train": train.recorded(),
            "metrics": {"training": _rounded(figures), "mean_payload_bits_L": payload_bits_L},
            "parent": parent,
        },
        {"weights": weights, "tables": tables.to_arrays()},
    )
    latents = Latents(rounded_MN, dataset.train_labels_N, classes, tables)
    validation_MN = FrozenEncoder(codec, weights, tables, train.device).latents(
        dataset.validation_images_NHWC
    )
    heads: dict[str, str] = {}
    for spec in train.heads:

        def fitted(done: int, total: int, shown: dict[str, float], name: str = spec.name) -> None:
            progress(f"head {name}", done, total, shown)

        if recipe == "ordered" and spec.kind == "ce":  # learned at every level, beside its encoder
            head_weights = {name: t.cpu().numpy() for name, t in networks.decoder.state_dict().items()}
        else:
            head_weights = fit_head(spec, scenario, latents, networks.decoder, fitted)
        manifest = common | {
            "kind": "head",
            "head": spec.model_dump(include={"name", "kind"}) | own_source(spec),
            "encoder": encoder,
        }
        head = load_head(manifest, codec, {"weights": head_weights}, tables, train.device)
        accuracy_L = [
            float((head.classify(validation_MN[:, :kept], level) == dataset.validation_labels_N).mean())
            for level, kept in enumerate(codec.ladder)
        ]
        manifest["metrics"] = {"validation_accuracy_L": [round(a, 6) for a in accuracy_L]}
        heads[spec.name] = publish("head", manifest, {"weights": head_weights})
    return Released(encoder, heads)


def own_source(spec: HeadSpec) -> dict[str, str]:
    """What a server needs to run a head of a user's own."""
    if spec.path is None or spec.class_name is None:
        return {}
    return {"class_name": spec.class_name, "source": read_source(spec.path, spec.class_name)}


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items()}
