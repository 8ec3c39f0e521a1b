"""Training as a Ray Train job: the same function as `trainers.local`, on a cluster."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import ray.train
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchConfig, TorchTrainer

from fleet_sim.basics.errors import RunError, UserError
from fleet_sim.scenario.scenario import Scenario
from trainers.release import Publish, Released
from trainers.stage import Progress
from trainers.train import Recipe, train_and_release, worker_device
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
    recipe: Recipe
    work_dir: str
    publish: Publish
    progress: Progress


def train_on_ray(
    scenario: Scenario,
    recipe: Recipe,
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
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    # Relative to here, not to wherever a worker starts.
    given = {name: getattr(scenario.data, name) for name in ("path", "labels_path")}
    absolute = {name: path.absolute() for name, path in given.items() if path is not None}
    heads = tuple(
        head.model_copy(update={"path": head.path.absolute()}) if head.path else head
        for head in scenario.train.heads
    )
    scenario = scenario.model_copy(
        update={
            "data": scenario.data.model_copy(update=absolute),
            "train": scenario.train.model_copy(update={"heads": heads}),
        }
    )
    cuda = scenario.train.device == "cuda"
    task = _Task(
        scenario_json=scenario.model_dump_json(),
        recipe=recipe,
        work_dir=str(work_dir.absolute()),
        publish=publish,
        progress=progress,
    )
    trainer = TorchTrainer(
        _work,
        train_loop_config=dict(task),
        scaling_config=ScalingConfig(
            num_workers=scenario.train.workers,
            use_gpu=cuda,
            resources_per_worker={"CPU": cpus_per_worker, **({"GPU": 1} if cuda else {})},
        ),
        torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if cuda else "gloo", timeout_s=PATIENCE_S),
        run_config=RunConfig(
            name=recipe,
            storage_path=str(work_dir.absolute() / "ray"),
            failure_config=FailureConfig(max_failures=2),
        ),
    )
    try:
        outcome: Released | _Refused = trainer.fit().return_value
    except TrainingFailedError as error:
        raise RunError(f"training failed: {error}") from error
    if isinstance(outcome, _Refused):
        raise UserError(outcome.reason)
    return outcome


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
            scenario, task["recipe"], Path(task["work_dir"]), task["publish"], workers, task["progress"]
        )
    except UserError as error:
        return _Refused(str(error))
