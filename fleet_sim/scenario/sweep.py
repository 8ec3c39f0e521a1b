"""The points of a sweep: one scenario for every combination of the swept values, and how each is repeated."""

import hashlib
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from fleet_sim.basics.errors import instead
from fleet_sim.basics.spec import Strict
from fleet_sim.network.profiles import PROFILES
from fleet_sim.network.spec import LinkSpec
from fleet_sim.scenario.document import Origin, Origins, dotted
from fleet_sim.scenario.errors import explain, line, origin_of_swept, refuse, shown
from fleet_sim.scenario.fields import leaves
from fleet_sim.scenario.scenario import SWEEPABLE, Scenario

MOST_POINTS = 10_000
# Members are made once, for all points.
ONE_FOR_ALL = ("serving.num_gpus",)


@dataclass(frozen=True)
class Point:
    """One combination: its index from 0, the values of the swept fields, and the scenario they make.

    `repeat` counts how often it was simulated before; `scenario.seed` is what this time draws from.
    """

    index: int
    values: dict[str, str | int | float | bool | None]
    scenario: Scenario
    repeat: int = 0


def repeated(point: Point, seeds: int) -> list[Point]:
    """`point` once for each of so many seeds: the scenario's own, then others that follow from it.

    Every point of a sweep has the same ones, so that their draws are paired.
    """
    own = point.scenario.seed
    drawn = [own, *(_derived(own, repeat) for repeat in range(1, seeds))]
    return [
        replace(point, scenario=point.scenario.model_copy(update={"seed": seed}), repeat=repeat)
        for repeat, seed in enumerate(drawn)
    ]


def _link_as_written(scenario: Scenario) -> dict[str, Any]:
    """Fields of `link:` without those that its profile gives: at each point they are the profile's there."""
    written = scenario.link.model_dump(exclude_unset=True)
    given = LinkSpec(profile=scenario.link.profile).model_dump() if scenario.link.profile != "custom" else {}
    names = PROFILES[scenario.link.profile]
    return {
        name: value
        for name, value in written.items()
        if name not in {*names, "budget_bps"} or value != given.get(name)
    }


def _derived(seed: int, repeat: int) -> int:
    """A seed of 63 bits, by a hash that needs no compiled code: scenarios are checked without."""
    return int.from_bytes(hashlib.sha256(f"{seed} {repeat}".encode()).digest()[:8], "big") >> 1


def sweepable() -> list[str]:
    """Paths of the fields that may be swept: single values, and nothing that training depends on."""
    single = [place for place, part in leaves(Scenario) if not _is_list(part, str(place[-1]))]
    paths = dict.fromkeys(map(dotted, single))  # a field of several kinds of a part is one path
    return [path for path in paths if path.split(".")[0] in SWEEPABLE and path not in ONE_FOR_ALL]


def _is_list(part: type[Strict], name: str) -> bool:
    annotation = part.model_fields[name].annotation
    return tuple in (get_origin(kind) for kind in (annotation, *get_args(annotation)))


def points(scenario: Scenario, origins: Origins | None = None) -> list[Point]:
    """Every combination of the swept values, the last axis varying fastest; the scenario if it has no sweep.

    Values are as validated (``20 kbit/s`` is 20000). Raises UserError, before anything runs, with a line for
    each axis or combination that will not do; `origins` says where things were written.
    """
    origins = origins or {(): Origin(scenario.name)}
    sweep = scenario.sweep.axes
    if unfit := _unfit_axes(sweep, origins):
        raise refuse(unfit)
    base = scenario.model_dump(exclude={"sweep"})
    if "link.profile" in sweep:
        base["link"] = _link_as_written(scenario)
    found: list[Point] = []
    problems: list[str] = []
    first_index: dict[tuple[object, ...], int] = {}
    for indices in product(*(range(len(values)) for values in sweep.values())):
        swept = {path: sweep[path][i] for path, i in zip(sweep, indices, strict=True)}
        origins_here = {place: origin for place, origin in origins.items() if dotted(place) not in swept}
        for path, i in zip(sweep, indices, strict=True):
            origins_here[tuple(path.split("."))] = origin_of_swept(origins, path, i)
        try:
            here = Scenario.model_validate(_with(base, swept))
        except ValidationError as error:
            problems += explain(error, Scenario, origins_here)
            continue
        gone = [path for path in swept if not _is_field(here, path)]
        if gone:
            when = ", ".join(f"{path} = {shown(value)}" for path, value in swept.items() if path not in gone)
            problems += [
                line(origins, ("sweep", path), f"there is no such field where {when}") for path in gone
            ]
            continue
        found_here = {path: reduce(getattr, path.split("."), here) for path in swept}
        values = {path: str(v) if isinstance(v, Path) else v for path, v in found_here.items()}
        point = Point(len(found), values, here)  # type: ignore[arg-type]
        twin = first_index.setdefault(tuple(values.values()), point.index)
        if twin != point.index:
            when = ", ".join(f"{path} = {shown(value)}" for path, value in values.items())
            problems.append(line(origins, ("sweep",), f"the point {when} is there twice"))
        found.append(point)
    if problems:
        raise refuse(problems)
    return found


def _is_field(scenario: Scenario, path: str) -> bool:
    """Whether the part that holds this field is of a kind that has it."""
    *parts, name = path.split(".")
    return hasattr(reduce(getattr, parts, scenario), name)


def _unfit_axes(sweep: dict[str, tuple[Any, ...]], origins: Origins) -> list[str]:
    """A line for each axis that cannot be one, or one line if together they make too many points."""
    known = sweepable()
    everywhere = {dotted(place) for place, _ in leaves(Scenario)}
    found = []
    for path, values in sweep.items():
        if path in known and values:
            continue
        if not values:
            problem = "no values; give at least one"
        elif path in everywhere:
            problem = f"cannot be swept; single values of {', '.join(SWEEPABLE)} can"
        else:
            problem = f"unknown field; {instead(path, known)}"
        found.append(line(origins, ("sweep", path), problem))
    count = prod(len(values) for values in sweep.values())
    if not found and count > MOST_POINTS:
        found.append(line(origins, ("sweep",), f"{count} points; at most {MOST_POINTS}"))
    return found


def _with(fields: dict[str, Any], swept: dict[str, Any]) -> dict[str, Any]:
    """A copy of `fields` with the swept values in place.

    A part that becomes of another kind has the defaults of that kind.
    """
    changed = dict(fields)
    for path, value in swept.items():
        *parts, name = path.split(".")
        part = changed
        for key in parts:
            part[key] = dict(part[key] or {})
            part = part[key]
        if name == "kind" and part.get("kind") != value:
            part.clear()
        part[name] = value
    return changed
