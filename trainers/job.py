"""Training as a Ray Train job: the same function as `trainers.local`, on a cluster."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import ray.train
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchConfig, TorchTrainer

from fleet_sim.basics.errors import RunError, UserError
from fleet_sim.registry.lessons import Lessons
from fleet_sim.scenario.heads import HeadSpec
from fleet_sim.scenario.parts import Recipe
from fleet_sim.scenario.scenario import Scenario
from trainers.release import Publish, Released
from trainers.retrain import retrain
from trainers.stage import Progress
from trainers.train import train_and_release, worker_device
from trainers.workers import PATIENCE_S, ProcessGroup, Workers

# Ray Train's own defaults suit jobs of hours; ours may last seconds. Read where the job starts; the
# environment overrides them. What is left, measured, is 12 CPU seconds: controller and worker each import
# torch (3 and 5 s), and three helpers that cannot be turned off take 1.4 s each.
_SETTINGS = {
    # The controller looks after its workers every 2 s by default, so a finished job is noticed that late.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    # A process more, which warns of machines that a cloud takes back. Our checkpoints survive that unwarned.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    # Workers stay in the folder they started in; the default moves them, and relative paths.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


class _Task(TypedDict):
    """What each worker is given."""

    scenario_json: str
    chain: tuple[Recipe, ...]
    work_dir: str
    publish: Publish
    progress: Progress


def train_on_ray(
    scenario: Scenario,
    chain: tuple[Recipe, ...],
    work_dir: Path,
    publish: Publish,
    progress: Progress,
    cpus_per_worker: float = 1,
) -> Released:
    """`train_and_release` in a TorchTrainer of `train.workers` workers on the cluster that is connected.

    `publish` and `progress` travel to the workers. `work_dir` must be the same folder on every machine that
    may run worker 0: after a lost worker the job starts over twice at most, and continues from the
    checkpoints there. Raises UserError as `train_and_release` does.
    """
    task = _Task(
        scenario_json=_absolute(scenario).model_dump_json(),
        chain=chain,
        work_dir=str(work_dir.absolute()),
        publish=publish,
        progress=progress,
    )
    released: Released = _fit(
        _work, dict(task), scenario, "-".join(chain), work_dir, scenario.train.workers, cpus_per_worker
    )
    return released


def retrain_on_ray(
    scenario: Scenario,
    place: int,
    lessons: Lessons,
    work_dir: Path,
    publish: Publish,
    progress: Progress,
    cpus_per_worker: float = 1,
) -> str:
    """`trainers.retrain.retrain` in a TorchTrainer of one worker; after a lost worker it starts over."""
    task = _HeadTask(
        scenario_json=_absolute(scenario).model_dump_json(),
        place=place,
        lessons=lessons,
        publish=publish,
        progress=progress,
    )
    name = f"head-{scenario.train.retrain[place].head.name}-{lessons.received.digest()[:16]}"
    version: str = _fit(_work_on_head, dict(task), scenario, name, work_dir, 1, cpus_per_worker)
    return version


def _absolute(scenario: Scenario) -> Scenario:
    """With files named relative to here, not to wherever a worker starts."""
    given = {name: getattr(scenario.data, name) for name in ("path", "labels_path")}
    absolute = {name: path.absolute() for name, path in given.items() if path is not None}
    heads = tuple(_found_anywhere(head) for head in scenario.train.heads)
    retrain = tuple(
        one.model_copy(update={"head": _found_anywhere(one.head)}) for one in scenario.train.retrain
    )
    return scenario.model_copy(
        update={
            "data": scenario.data.model_copy(update=absolute),
            "train": scenario.train.model_copy(update={"heads": heads, "retrain": retrain}),
        }
    )


def _found_anywhere(head: HeadSpec) -> HeadSpec:
    return head.model_copy(update={"path": head.path.absolute()}) if head.path else head


def _fit(
    work: Callable[[Any], Any],
    task: dict[str, Any],
    scenario: Scenario,
    name: str,
    work_dir: Path,
    workers: int,
    cpus_per_worker: float,
) -> Any:
    """What `work` gives on worker 0 of a job."""
    for variable, value in _SETTINGS.items():
        os.environ.setdefault(variable, value)
    cuda = scenario.train.device == "cuda"
    trainer = TorchTrainer(
        work,
        train_loop_config=task,
        scaling_config=ScalingConfig(
            num_workers=workers,
            use_gpu=cuda,
            resources_per_worker={"CPU": cpus_per_worker, **({"GPU": 1} if cuda else {})},
        ),
        torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if cuda else "gloo", timeout_s=PATIENCE_S),
        run_config=RunConfig(
            name=name,
            storage_path=str(work_dir.absolute() / "ray"),
            failure_config=FailureConfig(max_failures=2),
        ),
    )
    try:
        outcome = trainer.fit().return_value
    except TrainingFailedError as error:
        raise RunError(f"training failed: {error}") from error
    if isinstance(outcome, _Refused):
        raise UserError(outcome.reason)
    return outcome


class _HeadTask(TypedDict):
    """What the worker of a retraining is given."""

    scenario_json: str
    place: int
    lessons: Lessons
    publish: Publish
    progress: Progress


@dataclass(frozen=True)
class _Refused:
    """A UserError as a result: raised in a worker, Ray would start the job over, to be refused again."""

    reason: str


def _work(task: _Task) -> Released | _Refused:
    scenario = Scenario.model_validate_json(task["scenario_json"])
    local_rank = ray.train.get_context().get_local_rank()
    workers = ProcessGroup(worker_device(scenario, local_rank)) if scenario.train.workers > 1 else Workers()
    try:
        return train_and_release(
            scenario, task["chain"], Path(task["work_dir"]), task["publish"], workers, task["progress"]
        )
    except UserError as error:
        return _Refused(str(error))


def _work_on_head(task: _HeadTask) -> str | _Refused:
    scenario = Scenario.model_validate_json(task["scenario_json"])
    try:
        return retrain(scenario, task["place"], task["lessons"], task["publish"], task["progress"])
    except UserError as error:
        return _Refused(str(error))
