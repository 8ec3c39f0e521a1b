"""From a scenario and a target to an answer: one bank, and as few simulations as the search needs."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fleet_sim.backend import open_backend
from fleet_sim.basics.errors import Interrupted, UserError
from fleet_sim.cluster.pace import server_members
from fleet_sim.cluster.scenes import scenes_of
from fleet_sim.cluster.sends import sends_of
from fleet_sim.cluster.session import Session
from fleet_sim.data.load import load
from fleet_sim.registry.deployment import DEPLOYED
from fleet_sim.report import words
from fleet_sim.report.folder import check_place, new_folder_name
from fleet_sim.report.results import write_json
from fleet_sim.report.summary import Outcome, point_row
from fleet_sim.report.view import View
from fleet_sim.scenario import Point, Scenario, points, repeated
from fleet_sim.scenario.sweep_spec import SweepSpec
from fleet_sim.sizing.search import Crossing, NoCrossing, crossing
from fleet_sim.sizing.target import Target

SEEDS = 5  # where the scenario has one only
# What can be sought: is more of it better?
SOUGHT = {"fleet.cameras": False, "link.budget_bps": True}


@dataclass(frozen=True)
class Answer:
    """What was found, and what it took."""

    find: str
    target: Target
    found: Crossing | NoCrossing
    seeds: int
    frames: int
    scenario: Scenario

    @property
    def sentence(self) -> str:
        """The answer in words."""
        setting = self._setting()
        span = f"{words.value(self.find, self.found.low)} to {words.label(self.find, self.found.high)}"
        if isinstance(self.found, NoCrossing):
            return f"From {span}, {self.target.words} is {_kept(self.found)} everywhere{setting}."
        most = "At least" if SOUGHT[self.find] else "At most"
        value = words.label(self.find, self.found.value)
        interval = f"95 % interval {span}, {self.seeds} seeds"
        return f"{most} {value} ({interval}) for {self.target.words}{setting}."

    def _setting(self) -> str:
        cells = words.label("fleet.cells", self.scenario.cells)
        if self.find == "link.budget_bps":
            return f" with {words.label('fleet.cameras', self.scenario.fleet.cameras)} in {cells}"
        budget = self.scenario.link.budget_bps
        return f" in {cells}" + ("" if budget is None else f" of {words.bit_rate(budget)}")

    def json(self) -> dict[str, Any]:
        """The answer for programs."""
        found = asdict(self.found)
        if isinstance(self.found, NoCrossing):
            found = {"value": None, "everywhere": _kept(self.found), **found}
            del found["kept"]
        return {
            "find": self.find,
            "target": {"figure": self.target.figure, "bound": self.target.bound},
            **found,
            "seeds": self.seeds,
            "frames": self.frames,
            "sentence": self.sentence,
        }


def _kept(found: NoCrossing) -> str:
    return "met" if found.kept else "missed"


def size(scenario: Scenario, find: str, target: Target, out: Path, view: View) -> tuple[Answer, Path]:
    """The largest or smallest value of the field `find` that meets `target`, and the folder of size.json.

    Values are simulated with the scenario's `sweep.seeds`, or with five. Raises UserError for what the user
    must mend, such as another field that is swept. Ctrl-C goes on as Interrupted, saying what is kept.
    """
    seeds = scenario.sweep.seeds if scenario.sweep.seeds > 1 else SEEDS
    start = _start(scenario, find)
    check_place(out)
    dataset = load(scenario.data, scenario.seed)
    folder = new_folder_name(out, f"{scenario.name}-size")
    members = server_members(scenario)
    cpus = scenario.cluster.shards * scenario.cluster.shard_cpus + members * scenario.cluster.server_cpus
    gpus = members * scenario.serving.num_gpus
    scenes, frames = scenes_of(dataset, scenario), 0
    with (
        _saying_what_is_kept(scenario, folder),
        open_backend(scenario, dataset, 1, cpus, gpus, folder, view) as backend,
    ):
        session = Session(
            backend.host,
            backend.registry,
            scenario,
            scenes,
            members,
            backend.exports,
            view.bank,
            (sends_of(scenario),),
        )
        view.stage("Training")
        first = backend.train(0)()
        view.stage("Bank")
        session.deploy(first)
        view.stage("Search")

        def margin(value: int, seed: int) -> float:
            nonlocal frames
            row = _simulated(session, repeated(_at(scenario, find, value), seed + 1)[seed])
            frames += int(row["frames_offered"])
            kept = target.margin(row)
            shown = "met" if kept >= 0 else "missed"
            view.note(f"  {words.label(find, value)}, seed {seed + 1}: {shown}, by {100 * abs(kept):.2f} %")
            return kept

        limits = _limits(scenario, find)
        found = crossing(margin, start, *limits, seeds, SOUGHT[find])
    answer = Answer(find, target, found, seeds, frames, scenario)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "training", ignore_errors=True)
    write_json(folder / "size.json", answer.json())
    return answer, folder


@contextmanager
def _saying_what_is_kept(scenario: Scenario, folder: Path) -> Iterator[None]:
    """Ctrl-C, with a word on how to begin again: nothing is kept of a search, and of training its end."""
    try:
        yield
    except KeyboardInterrupt:
        models, again = folder / "models", "begins anew"
        if scenario.train.use is None and (models / DEPLOYED).exists():
            again = f"needs no training with --set train.use={models}"
        elif scenario.train.use is None:
            again = "trains anew; fleet-sim train goes on where it stopped, for train.use"
        raise Interrupted(f"interrupted: the same command {again}") from None


class _Unwatched:
    def advance(self, virtual_us: int, of_us: int) -> None:
        """Nothing to show."""


def _simulated(session: Session, point: Point) -> Mapping[str, Any]:
    counts = session.simulate(point.scenario, _Unwatched())
    return point_row([Outcome(point, session.fleet_of(point.scenario), counts, 0.0, session.classes)])


def _at(scenario: Scenario, find: str, value: int) -> Point:
    """The one point at which the field has this value, checked like any other."""
    (point,) = points(scenario.model_copy(update={"sweep": SweepSpec.model_validate({find: (value,)})}))
    return point


def _start(scenario: Scenario, find: str) -> int:
    """The scenario's own value; UserError where it cannot be sized."""
    if find not in SOUGHT:
        raise UserError(f"--find {find}: expected {' or '.join(SOUGHT)}")
    others = [path for path in scenario.sweep.axes if path != find]
    if others:
        raise UserError(
            f"--find {find}: the scenario also sweeps {', '.join(others)}; "
            f"give one value by --set {others[0]}=..."
        )
    if scenario.train.retrain:
        raise UserError("train.retrain: a fleet is sized for one version; --set train.retrain=[]")
    if scenario.train.updates:
        raise UserError("train.updates: a fleet is sized for one version; --set train.updates=[]")
    if find == "fleet.cameras":
        if scenario.link.sharing == "dedicated":
            raise UserError("--find fleet.cameras: with dedicated links no camera is in another's way")
        return scenario.fleet.cameras
    if scenario.link.budget_bps is None:
        raise UserError("--find link.budget_bps: this link's capacity comes from link.capacity, not a budget")
    return scenario.link.budget_bps


def _limits(scenario: Scenario, find: str) -> tuple[int, int]:
    return (scenario.cells, 10**8) if find == "fleet.cameras" else (100, 10**11)
