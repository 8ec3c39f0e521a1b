"""The training itself, as a plain function: the same on this process, on several, or on Ray."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.data import Dataset, load
from fleet_sim.scenario.parts import Recipe
from fleet_sim.scenario.scenario import Scenario
from trainers import checkpoint, networks
from trainers.batches import Batches
from trainers.duphil import Duphil
from trainers.e2e import E2e
from trainers.joint import Joint
from trainers.networks import Networks
from trainers.ordered import Ordered
from trainers.release import Publish, Released, release
from trainers.sameness import deterministic, draws
from trainers.stage import Progress, Stage, run
from trainers.workers import Workers

CHAIN: dict[Recipe, tuple[Recipe, ...]] = {
    "e2e": ("e2e",),
    "duphil": ("e2e", "duphil"),
    "joint": ("e2e", "joint"),
    "ordered": ("e2e", "ordered"),
}
"""The stages of a recipe, in order."""
_STAGES: dict[Recipe, Callable[[Scenario, Networks, Batches, Workers], Stage]] = {
    "e2e": E2e,
    "duphil": Duphil,
    "joint": Joint,
    "ordered": Ordered,
}


def train_and_release(
    scenario: Scenario,
    recipe: Recipe,
    work_dir: Path,
    publish: Publish,
    workers: Workers,
    progress: Progress,
) -> Released:
    """Train the stages of `recipe` and publish an encoder with its heads; every worker gets their ids.

    The result is the same to the bit for the same scenario, torch build and processor type. `work_dir` keeps
    a checkpoint a stage: a finished stage is not trained again, an interrupted one continues to the bit.
    Worker 0 alone reads and writes there, publishes and reports progress. Raises UserError for data that will
    not do.
    """
    device = worker_device(scenario, workers.rank)
    with deterministic(scenario.train.threads):
        dataset = load(scenario.data, scenario.seed)
        classes = len(dataset.class_names)
        nets = networks.build(scenario, classes, device)

        for name in CHAIN[recipe]:
            stage = build_stage(name, scenario, nets, dataset, workers, device)
            trained = run(stage, checkpoint_file(scenario, dataset, name, work_dir), progress)
        outcome: dict[str, Any] = {}
        if workers.rank == 0:
            record = checkpoint_file(scenario, dataset, "e2e", work_dir).with_suffix(".encoder")
            # An update continues a version that the fleet has; a run that begins with it has no parent.
            continues = recipe != "e2e" and scenario.train.recipe == "e2e" and record.exists()
            parent = record.read_text() if continues else None
            try:
                released = release(
                    scenario, recipe, dataset, nets, trained.history[-1], parent, publish, progress
                )
            except UserError as error:  # the others wait for word and must hear of it
                outcome = {"refused": str(error)}
            else:
                outcome = asdict(released)
                if recipe == "e2e":
                    checkpoint.write(record, released.encoder.encode())
        outcome = json.loads(workers.share(json.dumps(outcome).encode()))
        if "refused" in outcome:
            raise UserError(outcome["refused"])
        return Released(**outcome)


def worker_device(scenario: Scenario, rank: int) -> torch.device:
    """Where worker `rank` computes: GPUs of a machine are dealt out in turn."""
    if scenario.train.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError("train.device: there is no CUDA GPU here; set it to cpu")
    return torch.device("cuda", rank % torch.cuda.device_count())


def build_stage(
    name: Recipe,
    scenario: Scenario,
    nets: Networks,
    dataset: Dataset,
    workers: Workers,
    device: torch.device,
) -> Stage:
    """One stage, ready to train `nets` on the training images."""
    size = getattr(scenario.train, name).batch
    batches = Batches(scenario, dataset, size, draws(scenario.seed, name), workers, device)
    return _STAGES[name](scenario, nets, batches, workers)


def checkpoint_file(scenario: Scenario, dataset: Dataset, stage: Recipe, work_dir: Path) -> Path:
    """The stage's checkpoint, named after all that its weights depend on."""
    meaning = stage_settings(scenario, stage) | {"images": dataset.content_hash}
    return work_dir / f"{stage}-{sha256_hex(canonical_json(meaning))[:16]}.safetensors"


def stage_settings(scenario: Scenario, stage: Recipe) -> dict[str, Any]:
    """Settings that the stage's weights depend on, those of the stages before it included.

    Defaults are left out, so that a field to come changes no name of what is there.
    """
    shared = {"momentum", "weight_decay", "crop_padding", "flip", "workers", "threads", "device", "precision"}
    unused = {"batch"} if stage == "ordered" else {"batch", "ladder"}
    if stage == "joint":
        shared.add("duphil")  # which says how its side branch is
    return {
        "seed": scenario.seed,
        "codec": scenario.codec.model_dump(mode="json", exclude=unused, exclude_defaults=True),
        "train": scenario.train.model_dump(
            mode="json", include=shared | set(CHAIN[stage]), exclude_defaults=True
        ),
    }
