"""Training on this machine without Ray."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch.distributed as dist
from numpy.typing import NDArray
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from fleet_sim.scenario.parts import Recipe
from fleet_sim.scenario.scenario import Scenario
from trainers.release import Publish, Released
from trainers.stage import Progress
from trainers.train import train_and_release, worker_device
from trainers.workers import PATIENCE_S, ProcessGroup, Workers


def train_locally(
    scenario: Scenario, chain: tuple[Recipe, ...], work_dir: Path, publish: Publish, progress: Progress
) -> Released:
    """`train_and_release` in this process; with more than one worker, this process is worker 0 and the others
    are started beside it, joined by gloo over loopback."""
    if scenario.train.workers == 1:
        return train_and_release(scenario, chain, work_dir, publish, Workers(), progress)
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(
            target=_other_worker, args=(scenario.model_dump_json(), chain, work_dir, rank, store.port)
        )
        for rank in range(1, scenario.train.workers)
    ]
    for process in others:
        process.start()
    try:
        with _process_group(store, 0, scenario) as workers:
            released = train_and_release(scenario, chain, work_dir, publish, workers, progress)
        for process in others:
            process.join()
        return released
    finally:
        for process in others:
            process.kill()
            process.join()


@contextmanager
def _process_group(store: TCPStore, rank: int, scenario: Scenario) -> Iterator[Workers]:
    if sys.platform == "linux":
        # Without it gloo looks this machine's name up, which fails where no resolver knows it.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "gloo",
        store=store,
        rank=rank,
        world_size=scenario.train.workers,
        timeout=timedelta(seconds=PATIENCE_S),
    )
    try:
        yield ProcessGroup(worker_device(scenario, rank))
    finally:
        dist.destroy_process_group()


def _other_worker(
    scenario_json: str, chain: tuple[Recipe, ...], work_dir: Path, rank: int, port: int
) -> None:
    scenario = Scenario.model_validate_json(scenario_json)
    store = TCPStore("127.0.0.1", port, is_master=False)
    with _process_group(store, rank, scenario) as workers:
        train_and_release(scenario, chain, work_dir, _publish_nothing, workers, _say_nothing)


def _publish_nothing(
    kind: str, manifest: dict[str, Any], files: dict[str, dict[str, NDArray[np.generic]]]
) -> str:
    raise RuntimeError("worker 0 alone publishes")


def _say_nothing(stage: str, done: int, total: int, figures: dict[str, float]) -> None:
    raise RuntimeError("worker 0 alone reports progress")
