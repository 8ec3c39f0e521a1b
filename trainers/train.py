"""The training itself, as a plain function: the same on this process, on several, or on Ray."""

import json
from collections.abc import Callable, Sequence
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
"""The stages of a recipe, in order; a version's stages may go on from there, see `chain_of`."""
_STAGES: dict[Recipe, Callable[[Scenario, Networks, Batches, Workers], Stage]] = {
    "e2e": E2e,
    "duphil": Duphil,
    "joint": Joint,
    "ordered": Ordered,
}


def chain_of(recipes: Sequence[Recipe], version: int) -> tuple[Recipe, ...]:
    """The stages of a version by its place among a scenario's recipes: each goes on from the one before."""
    return (*CHAIN[recipes[0]], *recipes[1 : version + 1])


def train_and_release(
    scenario: Scenario,
    chain: tuple[Recipe, ...],
    work_dir: Path,
    publish: Publish,
    workers: Workers,
    progress: Progress,
) -> Released:
    """Train the stages of `chain`, publish an encoder with its heads as of the last; every worker gets ids.

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

        for done in range(1, len(chain) + 1):
            stage = build_stage(chain[:done], scenario, nets, dataset, workers, device)
            trained = run(stage, checkpoint_file(scenario, dataset, chain[:done], work_dir), progress)
        outcome: dict[str, Any] = {}
        if workers.rank == 0:
            parent = None
            if len(chain) > len(CHAIN[scenario.train.recipe]):  # an update of a version that the fleet has
                before = _record_of_release(scenario, dataset, chain[:-1], work_dir)
                parent = before.read_text() if before.exists() else None
            try:
                released = release(
                    scenario, chain[-1], dataset, nets, trained.history[-1], parent, publish, progress
                )
            except UserError as error:  # the others wait for word and must hear of it
                outcome = {"refused": str(error)}
            else:
                outcome = asdict(released)
                record = _record_of_release(scenario, dataset, chain, work_dir)
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
    chain: tuple[Recipe, ...],
    scenario: Scenario,
    nets: Networks,
    dataset: Dataset,
    workers: Workers,
    device: torch.device,
) -> Stage:
    """The last stage of `chain`, ready to train `nets` on the training images; each has draws of its own."""
    name = chain[-1]
    size = getattr(scenario.train, name).batch
    purpose = name if chain == CHAIN[name] else "-".join(chain)
    batches = Batches(scenario, dataset, size, draws(scenario.seed, purpose), workers, device)
    return _STAGES[name](scenario, nets, batches, workers)


def checkpoint_file(scenario: Scenario, dataset: Dataset, chain: tuple[Recipe, ...], work_dir: Path) -> Path:
    """The checkpoint of the last stage of `chain`, named after all that its weights depend on."""
    meaning = stage_settings(scenario, chain) | {"images": dataset.content_hash}
    return work_dir / f"{chain[-1]}-{sha256_hex(canonical_json(meaning))[:16]}.safetensors"


def _record_of_release(
    scenario: Scenario, dataset: Dataset, chain: tuple[Recipe, ...], work_dir: Path
) -> Path:
    """Where the id of the encoder is kept that came of these stages."""
    return checkpoint_file(scenario, dataset, chain, work_dir).with_suffix(".encoder")


def stage_settings(scenario: Scenario, chain: tuple[Recipe, ...]) -> dict[str, Any]:
    """Settings that the weights of the last stage of `chain` depend on, those of all its stages.

    Defaults are left out, so that a field to come changes no name of what is there.
    """
    shared = {"momentum", "weight_decay", "crop_padding", "flip", "workers", "threads", "device", "precision"}
    unused = {"batch"} if "ordered" in chain else {"batch", "ladder"}
    if "joint" in chain:
        shared.add("duphil")  # which says how its side branch is
    settings = {
        "seed": scenario.seed,
        "codec": scenario.codec.model_dump(mode="json", exclude=unused, exclude_defaults=True),
        "train": scenario.train.model_dump(mode="json", include=shared | set(chain), exclude_defaults=True),
    }
    return settings if chain == CHAIN[chain[-1]] else settings | {"chain": list(chain)}
