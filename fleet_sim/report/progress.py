"""The points of a run that are done, kept in its folder until all are, so that a killed run can go on."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.registry.lessons import Retrained
from fleet_sim.report import words
from fleet_sim.report.summary import Outcome
from fleet_sim.scenario import Point, Scenario, dump_scenario, load_scenario

FOLDER = "progress"
SCENARIO = "scenario.yaml"


def scenario_of(folder: Path, overrides: Sequence[str]) -> Scenario:
    """The scenario of a run that was stopped; UserError where the folder is none, or its run complete."""
    if not (folder / SCENARIO).is_file():
        raise UserError(f"--resume {folder}: there is no run, or it was stopped before it kept anything")
    if _complete(folder):
        raise UserError(f"--resume {folder}: this run is complete")
    return load_scenario(folder / SCENARIO, list(overrides))


class Progress:
    """What is kept in the folder of one run; `deployed` are ids as in its summary."""

    def __init__(self, run: Path):
        self._run = run

    def begin(self, scenario: Scenario) -> None:
        """Keep the scenario, so that the run can be found."""
        self._run.mkdir(parents=True, exist_ok=True)
        if not (self._run / SCENARIO).exists():
            _write(self._run / SCENARIO, lambda file: file.write(dump_scenario(scenario).encode()))

    def keep(self, outcome: Outcome, deployed: Sequence[Any]) -> None:
        """Keep a point that is done."""
        versions = json.dumps([asdict(version) for version in deployed])
        columns = {field.name: getattr(outcome.counts, field.name) for field in fields(Counts)}
        (self._run / FOLDER).mkdir(exist_ok=True)
        _write(
            self._place(outcome.point),
            lambda file: np.savez_compressed(
                file,
                versions=np.array(versions),
                retrained=np.array(json.dumps([asdict(head) for head in outcome.retrained])),
                wall_s=np.array(outcome.wall_s),
                **columns,
            ),
        )

    def outcome(self, point: Point, fleet: Fleet, classes: int, first: Any) -> Outcome | None:
        """A point as it was kept, None if it was not.

        Raises UserError where it cannot be read, or was simulated with another first version than `first`.
        """
        place = self._place(point)
        if not place.exists():
            return None
        try:
            with np.load(place, allow_pickle=False) as kept:
                versions, wall_s = json.loads(str(kept["versions"])), float(kept["wall_s"])
                retrained = tuple(Retrained(**head) for head in json.loads(str(kept["retrained"])))
                columns: dict[str, Any] = {field.name: kept[field.name] for field in fields(Counts)}
        except (ValueError, KeyError, TypeError, OSError, BadZipFile) as error:
            raise UserError(
                f"{place} cannot be read ({error}): delete it, and its point is done again"
            ) from error
        if versions[0] != asdict(first):
            raise UserError(
                f"{place} was made with encoder {versions[0]['encoder'][:12]}, but training gave "
                f"{first.encoder[:12]} now: not the same machine or libraries? delete {place.parent} to do "
                "all points again"
            )
        counts = Counts(**{**columns, "in_flight": int(columns["in_flight"])})
        return Outcome(point, fleet, counts, wall_s, classes, retrained)

    def words(self, why: str, points: int) -> str:
        """What to say of a run of so many points that was stopped, and why."""
        if not (self._run / SCENARIO).exists():
            return f"{why} before anything was kept"
        if _complete(self._run):
            return f"{why} when all results were written, in {self._run}"
        done = len(list((self._run / FOLDER).glob("*.npz")))
        return (
            f"{why}: {done} of {words.counted(points, 'point')} done, in {self._run}; go on by "
            f"fleet-sim run --resume {self._run}"
        )

    def end(self) -> None:
        """All points are done and written."""
        shutil.rmtree(self._run / FOLDER, ignore_errors=True)

    def _place(self, point: Point) -> Path:
        return self._run / FOLDER / f"{point.index}-{point.repeat}.npz"


def _complete(folder: Path) -> bool:
    """Whether all results are written: until then points are kept, though summary.json may be there."""
    summary = folder / "summary.json"
    if (folder / FOLDER).exists() or not summary.exists():
        return False
    return bool(json.loads(summary.read_bytes()).get("complete", True))


def _write(place: Path, write: Any) -> None:
    """A file that is there whole or not at all."""
    draft = place.with_name(f".{place.name}.draft")
    with open(draft, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
