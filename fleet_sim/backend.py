"""Where a run's members live, in this process or on Ray, and how its versions are made there."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import Host, LocalHost
from fleet_sim.cluster.member import Member
from fleet_sim.cluster.pace import crews_for
from fleet_sim.cluster.registry_actor import ModelRegistry, TrainingNote
from fleet_sim.cluster.released import Deployed
from fleet_sim.data.dataset import Dataset
from fleet_sim.registry import own_keys, shipped
from fleet_sim.registry.lessons import Lessons
from fleet_sim.registry.release import Wanted, adopt, find
from fleet_sim.report.view import View
from fleet_sim.scenario import Scenario
from trainers.local import train_locally
from trainers.release import Publish, Released
from trainers.retrain import retrain
from trainers.train import chain_of

T = TypeVar("T")
TRAINER_CPUS = 1.0  # what a training worker reserves; it runs train.threads threads all the same


@dataclass(frozen=True)
class Backend:
    """Where a run's members live, and how its versions are made there.

    `exports`: one for each crew there is room for. `train` begins with a version, by its place, for which
    those before it must have been begun, and returns how to wait for it; `retrain` fits a head of
    `train.retrain` and gives the id of its version.
    """

    host: Host
    registry: Member
    exports: list[Export]
    train: Callable[[int], Callable[[], Deployed]]
    retrain: Callable[[int, Lessons], str]


@contextmanager
def open_backend(
    scenario: Scenario, dataset: Dataset, points: int, cpus: float, gpus: float, folder: Path, view: View
) -> Iterator[Backend]:
    """The scenario's backend with room for crews of so many CPUs and GPUs; ended in any case.

    Raises UserError where `train.use` lacks a version, or the machine room.
    """
    if scenario.train.use is not None:
        parent = None
        for version in range(len(scenario.train.recipes)):  # before anything is built or started
            wanted = _wanted(scenario, dataset, version, parent)
            parent = find(_source(scenario.train.use), wanted)[0].id
    # Absolute, since workers may stand in another directory.
    models, training = folder.absolute() / "models", folder.absolute() / "training"
    keys = own_keys().folder.absolute()
    if scenario.cluster.backend == "local":
        if scenario.cluster.address is not None:
            raise UserError("cluster.address is for the backend ray, not for local")
        if gpus and not torch.cuda.is_available():
            raise UserError("serving.num_gpus: there is no CUDA GPU here; set it to 0")
        here = LocalHost()
        keeper = Member(here, "model-registry", ModelRegistry, models, keys, cpus=0)
        publish_here = keeper.handle.publish

        made: list[Deployed] = []

        def make_here(version: int) -> Callable[[], Deployed]:
            chain, parent = chain_of(scenario.train.recipes, version), made[-1] if version else None
            released = _used(scenario, dataset, version, parent, publish_here, view) or _deployed(
                train_locally(scenario, chain, training, publish_here, view.training)
            )
            made.append(released)
            return lambda: released

        one_at_a_time = Lock()  # torch has one set of settings a process

        def retrain_here(place: int, lessons: Lessons) -> str:
            with one_at_a_time:
                return retrain(scenario, place, lessons, publish_here, view.training)

        try:
            crews = crews_for(scenario, points, here.cores())
            yield Backend(here, keeper, [Export() for _ in range(crews)], make_here, retrain_here)
        finally:
            here.close()
        return

    # Ray and its training library are imported only where they are used: in process they would cost seconds.
    from fleet_sim.cluster.ray_export import RayExport
    from fleet_sim.cluster.ray_host import RayHost, RayProgress, RayPublish
    from trainers.job import retrain_on_ray, train_on_ray

    host = RayHost(scenario.cluster.address, namespace=f"{folder.name}-{os.getpid()}")
    try:
        trainers = 0 if scenario.train.use else scenario.train.workers
        trainers = max(trainers, 1 if scenario.train.retrain else 0)
        training_gpus = trainers if scenario.train.device == "cuda" else 0
        crews = crews_for(scenario, points, host.cores())
        host.check_room(crews * cpus + trainers * TRAINER_CPUS, gpus + training_gpus)
        view.note(host.welcome())
        registry = Member(host, "model-registry", ModelRegistry, models, keys, cpus=0, beside_driver=True)
        publish, progress = RayPublish(registry.handle), RayProgress(registry.handle)

        jobs: list[Future[Deployed]] = []

        def make_there(version: int) -> Callable[[], Deployed]:
            chain, before = chain_of(scenario.train.recipes, version), jobs[-1] if version else None

            def make() -> Deployed:
                parent = before.result() if before else None  # a version goes on from the one before
                return _used(scenario, dataset, version, parent, publish, view) or _deployed(
                    train_on_ray(scenario, chain, training, publish, progress, TRAINER_CPUS)
                )

            jobs.append(job := host.background(make))
            return lambda: _watched(job, take_notes, view)

        def retrain_there(place: int, lessons: Lessons) -> str:
            future: Future[str] = host.background(
                lambda: retrain_on_ray(scenario, place, lessons, training, publish, progress, TRAINER_CPUS)
            )
            return _watched(future, take_notes, view)

        def take_notes() -> list[TrainingNote]:
            notes: list[TrainingNote] = host.get(registry.ask("take_notes").wait()[0])
            return notes

        profile = "swept" if "link.profile" in scenario.sweep.axes else scenario.link.profile
        exports: list[Export] = [RayExport(profile) for _ in range(crews)]
        yield Backend(host, registry, exports, make_there, retrain_there)
    finally:
        host.close()


def _deployed(released: Released) -> Deployed:
    return Deployed(released.encoder, released.heads)


def _watched(job: Future[T], take_notes: Callable[[], list[TrainingNote]], view: View) -> T:
    """What a training job releases, its progress shown while it is waited for."""
    done = False
    while not done:
        done = bool(wait([job], timeout=0.3).done)
        for note in take_notes():
            view.training(*note)
    return job.result()


def _used(
    scenario: Scenario,
    dataset: Dataset,
    version: int,
    parent: Deployed | None,
    publish: Publish,
    view: View,
) -> Deployed | None:
    """The version in `train.use`, published into this run's own models; None where it is to be trained."""
    if scenario.train.use is None:
        return None
    wanted = _wanted(scenario, dataset, version, parent.encoder if parent else None)
    return Deployed(*adopt(_source(scenario.train.use), wanted, publish, view.note))


def _source(use: Path) -> Path:
    return shipped.FOLDER if use == shipped.NAME else use


def _wanted(scenario: Scenario, dataset: Dataset, version: int, parent: str | None) -> Wanted:
    return Wanted(
        recipe=scenario.train.recipes[version],
        parent=parent,
        seed=scenario.seed,
        codec=scenario.codec.model_dump(mode="json"),
        train=scenario.train.recorded(),
        content_hash=dataset.content_hash,
        classes=len(dataset.class_names),
        heads=[head.name for head in scenario.train.heads],
    )
