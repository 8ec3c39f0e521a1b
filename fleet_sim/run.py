"""The main job as a story: train, publish, simulate every sweep point, report."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event

from fleet_sim.backend import open_backend
from fleet_sim.basics.errors import Interrupted, RunError
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.pace import server_members
from fleet_sim.cluster.released import Deployed, Update
from fleet_sim.cluster.scenes import scenes_of
from fleet_sim.cluster.sends import sends_of
from fleet_sim.cluster.session import Session
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.registry.lessons import Lessons
from fleet_sim.report import words
from fleet_sim.report.folder import check_place, new_folder_name
from fleet_sim.report.html import write_html
from fleet_sim.report.progress import Progress
from fleet_sim.report.results import write_results
from fleet_sim.report.summary import Outcome, point_row, point_rows, summary_of, timeline_of, versions_of
from fleet_sim.report.view import View
from fleet_sim.scenario import Point, Scenario, points, repeated, update_times_us

Clock = dict[str, float]
"""Wall-clock seconds by part of the run."""


def run(scenario: Scenario, out: Path, view: View, resume: Path | None = None) -> Path:
    """Run a scenario and every point of its sweep; the folder with the results, `out`/name-time.

    With `resume`, the folder of a run of this scenario that was stopped, however: trainings go on from their
    checkpoints, points that are done are not done again, and the digest is that of an undisturbed run.

    Raises UserError, with nothing written, for what the user must mend. On Ctrl-C the points done so far are
    written, marked as incomplete, before it goes on as Interrupted.
    """
    clock: Clock = {}
    began = time.perf_counter()
    every = points(scenario)
    # Seed by seed, so that an interrupted run has all points with the first ones.
    sweep = sorted(
        (again for point in every for again in repeated(point, scenario.sweep.seeds)),
        key=lambda point: point.repeat,
    )
    check_place(out)
    dataset = load(scenario.data, scenario.seed)
    scenes = scenes_of(dataset, scenario)
    folder = resume or new_folder_name(out, scenario.name)
    progress = Progress(folder)
    servers = max(server_members(point.scenario) for point in sweep)
    cpus = scenario.cluster.shards * scenario.cluster.shard_cpus + servers * scenario.cluster.server_cpus
    gpus = servers * scenario.serving.num_gpus
    sends = tuple(dict.fromkeys(sends_of(point.scenario) for point in every))
    outcomes: list[Outcome] = []
    interrupted = False
    with (
        _saying_how_to_go_on(progress, len(sweep)),
        open_backend(scenario, dataset, len(sweep), cpus, gpus, folder, view) as backend,
    ):
        session = Session(
            backend.host,
            backend.registry,
            scenario,
            scenes,
            servers,
            backend.exports,
            view.bank,
            sends,
        )
        for point in every:
            session.fleet_of(point.scenario)  # refuses a camera too small before anything is trained
        with _timed(clock, "train"):
            view.stage("Training")
            if scenario.train.use is None:
                progress.begin(scenario)
            first = backend.train(0)()
        try:
            progress.begin(scenario)
            with _timed(clock, "bank"):
                view.stage("Bank")
                session.deploy(first)
            outcomes += _done(progress, sweep, session, first, view)
            left = [point for point in sweep if point not in [outcome.point for outcome in outcomes]]
            view.stage("Simulation")
            # Begun before the first point, so that it runs beside it.
            updates = [backend.train(version) for version in range(1, len(scenario.train.recipes))]
            with _timed(clock, "simulate"):
                _simulate_all(session, left, updates, backend.retrain, view, outcomes, progress)
        except KeyboardInterrupt:
            if not outcomes:
                raise
            interrupted = True
        if scenario.report.oracle:
            view.stage("Oracle")
            with _timed(clock, "oracle"):
                outcomes = [replace(one, best=session.oracle(one.point.scenario)) for one in outcomes]
        outcomes.sort(key=lambda outcome: (outcome.point.index, outcome.point.repeat))
        clock["total"] = round(time.perf_counter() - began, 3)
        _write(scenario, dataset, session, outcomes, not interrupted, clock, folder)
        if interrupted:
            raise KeyboardInterrupt
        progress.end()
        shutil.rmtree(folder / "training", ignore_errors=True)
        try:
            for export in backend.exports:
                export.flush()
        except TimeoutError as error:
            view.note(f"The results are complete, but not all metrics were exported: {error}")
    return folder


def _done(
    progress: Progress, sweep: Sequence[Point], session: Session, first: Deployed, view: View
) -> list[Outcome]:
    """The points that a stopped run has left; not the last if all are, for updates come with a point."""
    kept = [
        progress.outcome(point, session.fleet_of(point.scenario), session.classes, first) for point in sweep
    ]
    done = [outcome for outcome in kept if outcome is not None]
    if done:
        view.note(f"  {len(done)} of {words.counted(len(sweep), 'point')} done before")
    return done[: len(sweep) - 1]


class _Stopped(Exception):
    """The run is over before this point is."""


@dataclass(frozen=True)
class _Watcher:
    """Shows how far one point is, and ends it when the run is over."""

    view: View
    index: int
    stop: Event

    def advance(self, virtual_us: int, of_us: int) -> None:
        """Virtual time has moved on."""
        if self.stop.is_set():
            raise _Stopped
        self.view.advance(self.index, virtual_us, of_us)


def _simulate_all(
    session: Session,
    sweep: Sequence[Point],
    updates: Sequence[Callable[[], Deployed]],
    retrain: Callable[[int, Lessons], str],
    view: View,
    outcomes: list[Outcome],
    progress: Progress,
) -> None:
    """Simulate every point, as many side by side as there are crews, into `outcomes` as they are done.

    The first point goes alone if versions are taken up in it. After Ctrl-C or an error the others end with
    their epoch, and it is raised here.
    """
    stop, idle = Event(), SimpleQueue[int]()
    place = {(point.index, point.repeat): i for i, point in enumerate(sweep)}
    seeds = 1 + max(point.repeat for point in sweep)
    for crew in range(session.crews):
        idle.put(crew)

    def simulate(point: Point) -> None:
        crew = idle.get()
        try:
            simulate_by(crew, point)
        finally:
            idle.put(crew)

    def label(point: Point) -> str:
        of_seeds = f", seed {point.repeat + 1} of {seeds}" if seeds > 1 else ""
        return words.labels(point.values) + of_seeds

    def simulate_by(crew: int, point: Point) -> None:
        index = place[point.index, point.repeat]
        view.point(index, len(sweep), label(point))
        due = [Update(us, made) for us, made in zip(update_times_us(point.scenario), updates, strict=True)]
        began = time.perf_counter()
        retraining = (
            session.retraining(point.scenario, retrain, crew) if point.scenario.train.retrain else None
        )
        counted = session.simulate(point.scenario, _Watcher(view, index, stop), due, crew, retraining)
        took_s, heads = time.perf_counter() - began, tuple(retraining.done if retraining else ())
        outcome = Outcome(point, session.fleet_of(point.scenario), counted, took_s, session.classes, heads)
        progress.keep(outcome, session.deployed)
        outcomes.append(outcome)
        view.point_done(index, point_row([outcome]))

    alone = len(sweep) if session.crews == 1 else 1 if updates else 0
    for point in sweep[:alone]:
        simulate(point)
    with ThreadPoolExecutor(max_workers=session.crews, thread_name_prefix="point") as threads:
        try:
            for done in as_completed([threads.submit(simulate, point) for point in sweep[alone:]]):
                done.result()
        except BaseException:
            stop.set()
            threads.shutdown(wait=True, cancel_futures=True)
            raise


@contextmanager
def _saying_how_to_go_on(progress: Progress, points: int) -> Iterator[None]:
    """Ctrl-C or a full disk, whatever the run was at, with a word on what it leaves."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(progress.words("interrupted", points)) from None
    except OSError as error:
        raise RunError(progress.words(str(error), points)) from error


def train(scenario: Scenario, out: Path, view: View) -> Path:
    """Train and publish the scenario's versions; called again, it goes on where it stopped.

    Versions go to `out`/models, the folder returned, checkpoints to `out`/training.
    """
    check_place(out)
    dataset = load(scenario.data, scenario.seed)
    with open_backend(scenario, dataset, 0, 0, 0, out, view) as backend:
        for place, recipe in enumerate(scenario.train.recipes):
            view.stage(f"Training {recipe}")
            try:
                released = backend.train(place)()
            except KeyboardInterrupt:
                raise Interrupted(
                    f"interrupted; finished epochs are kept in {out / 'training'}: the same command goes on"
                ) from None
            view.note(f"  encoder {released.encoder}")
            for name, version in released.heads.items():
                view.note(f"  head {name} {version}")
    return out / "models"


def _write(
    scenario: Scenario,
    dataset: Dataset,
    session: Session,
    outcomes: list[Outcome],
    complete: bool,
    clock: Clock,
    folder: Path,
) -> None:
    """The results, into a run's folder."""
    deployed = [asdict(version) for version in session.deployed]
    summary = {
        **summary_of(scenario, dataset.content_hash, deployed, outcomes),
        "complete": complete,
        "machine": machine("cuda" if scenario.serving.num_gpus else "cpu"),
        "ladder": session.ladder,
        "audit": {"checked": session.audited},
        **({"packed_bytes": session.packed} if session.packed else {}),
        "restarts": session.restarts,
        "wall_s": clock,
    }
    encoders = [version.encoder for version in session.deployed]
    first_seeds = [outcome for outcome in outcomes if not outcome.point.repeat]
    timeline = [row for outcome in first_seeds for row in timeline_of(outcome, encoders)]
    versions = [row for outcome in first_seeds for row in versions_of(outcome, encoders)]
    write_results(folder, summary, point_rows(outcomes), timeline, versions)
    write_html(folder)


@contextmanager
def _timed(clock: Clock, part: str) -> Iterator[None]:
    """Add the wall time of what is done within."""
    began = time.perf_counter()
    try:
        yield
    finally:
        clock[part] = round(clock.get(part, 0) + time.perf_counter() - began, 3)
