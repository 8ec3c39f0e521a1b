"""A head fitted to latents that servers have received, for a frozen encoder; it needs no images.

Shapes: M frames, N neurons, K classes.
"""

import numpy as np
import torch

from fleet_sim.codec.head import load_head
from fleet_sim.codec.networks import Decoder, build_decoder
from fleet_sim.codec.tables import Tables
from fleet_sim.registry import Bundle
from fleet_sim.registry.lessons import Lessons
from fleet_sim.scenario.scenario import Scenario
from trainers.heads import Latents, fit_head
from trainers.release import Publish, own_source
from trainers.sameness import deterministic
from trainers.stage import Progress
from trainers.train import worker_device


def retrain(
    scenario: Scenario,
    place: int,
    lessons: Lessons,
    publish: Publish,
    progress: Progress,
) -> str:
    """Fit the head of `train.retrain[place]` to frames that servers received, and publish it; its id.

    Each latent is read at the level it came at and, with `tail_drop`, at random lower ones. A head of kind
    `ce` goes on from the parent. The result is the same to the bit for the same frames, torch build and
    processor type. The frames must suffice (`Received.suffices`).
    """
    received, encoder, parent = lessons.received, lessons.encoder, lessons.parent
    head = scenario.train.retrain[place].head
    found = len(received.label_M)
    tables, device = Tables.from_arrays(encoder.tensors["tables"]), worker_device(scenario, 0)
    latents = Latents(received.filled(tables), received.label_M, encoder.manifest["classes"], tables)

    def fitted(done: int, total: int, figures: dict[str, float]) -> None:
        progress(f"head {head.name}", done, total, figures)

    with deterministic(scenario.train.threads):
        decoder = _decoder(scenario, latents.classes, parent, device)
        weights = fit_head(head, scenario, latents, decoder, fitted)
    made_of = ("recipe", "seed", "codec", "classes", "contract_hash")
    manifest = {name: encoder.manifest[name] for name in made_of} | {
        "kind": "head",
        "head": head.model_dump(include={"name", "kind"}) | own_source(head),
        "encoder": encoder.id,
        "parent": parent.id if parent and head.kind == "ce" else None,
        "data": {"source": "received", "content_hash": received.digest(), "frames": found},
        "train": {"head_training": scenario.train.head_training.model_dump(mode="json")},
    }
    loaded = load_head(manifest, scenario.codec, {"weights": weights}, tables, scenario.train.device)
    answer_M = np.empty(found, np.int64)
    for level in np.unique(received.level_M):
        here = received.level_M == level
        answer_M[here] = loaded.classify(received.latent_MN[here, : tables.ladder_L[level]], int(level))
    manifest["metrics"] = {"fitted_accuracy": round(float((answer_M == received.label_M).mean()), 6)}
    return publish("head", manifest, {"weights": weights})


def _decoder(scenario: Scenario, classes: int, parent: Bundle | None, device: torch.device) -> Decoder:
    """What a head of kind ce starts from."""
    decoder = build_decoder(scenario.codec, classes)
    if parent is not None:
        weights = {name: torch.from_numpy(array) for name, array in parent.tensors["weights"].items()}
        decoder.load_state_dict(weights)
    return decoder.to(device).to(memory_format=torch.channels_last)
