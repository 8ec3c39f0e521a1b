"""What pydantic found wrong with a scenario, in words: where, which field, what would be right."""

import re
from collections.abc import Iterable

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fleet_sim.basics.errors import UserError, instead
from fleet_sim.basics.spec import Strict
from fleet_sim.scenario.document import Origin, Origins, Place, dotted
from fleet_sim.scenario.fields import kind_name, kinds_at, leaves, written_place
from fleet_sim.scenario.sweep_spec import SweepSpec

MOST_LINES = 12

_UNITS = {"bps": " bit/s", "us": " us", "bytes": " bytes"}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list",
    "dict": "fields and their values",
    "path": "a path",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def refuse(lines: Iterable[str]) -> UserError:
    """One error of all these lines, each once, the number of them bounded."""
    distinct = list(dict.fromkeys(lines))
    more = len(distinct) - MOST_LINES
    return UserError("\n".join(distinct[:MOST_LINES] + ([f"... and {more} more"] if more > 0 else [])))


def explain(error: ValidationError, model: type[Strict], origins: Origins) -> list[str]:
    """A line for each thing wrong with fields of a `model` written at `origins`, in their order there."""
    found = [_placed(e, model, origins) for e in error.errors(include_url=False)]
    found.sort(key=lambda pair: pair[0])
    return [text for _, text in found]


def line(origins: Origins, place: Place, problem: str) -> str:
    """The message that `problem` is wrong with the field at `place`."""
    return _line(origins, place, problem)[1]


def _line(origins: Origins, place: Place, problem: str) -> tuple[int, str]:
    """The line where `place` or what holds it was written, and the whole message."""
    origin = next(origins[place[:n]] for n in range(len(place), -1, -1) if place[:n] in origins)
    field = origin.field if place in origins else dotted(place)
    return origin.line, f"{origin.where}: {field}: {problem}" if field else f"{origin.where}: {problem}"


def _placed(error: ErrorDetails, model: type[Strict], origins: Origins) -> tuple[int, str]:
    place, _ = written_place(model, error["loc"])
    if error["type"].startswith("union_tag"):
        place = (*place, "kind")
    if error["type"] == "misfit":
        candidates = [place + _place(field) for field in error["ctx"]["fields"]]
        swept = [p for p in candidates if p in origins and (origins[p].field or "").startswith("sweep.")]
        written = [p for p in candidates if p in origins]
        return _line(origins, (swept or written or candidates)[0], error["ctx"]["message"])
    return _line(origins, place, _problem(error, model))


def _place(field: str) -> Place:
    return tuple(int(name) if name.isdecimal() else name for name in field.split("."))


def _problem(error: ErrorDetails, model: type[Strict]) -> str:
    """What is wrong with one value, and what would be right."""
    kind, value, ctx = error["type"], error["input"], error.get("ctx", {})
    place, part = written_place(model, error["loc"])
    if kind == "extra_forbidden":
        kinds = [str(kind_name(other)) for written, other in leaves(model) if written == place]
        if kinds:
            return f"no field of kind {kind_name(part)}, but of {' and '.join(kinds)}"
        return f"unknown field; {_known(place, part, model)}"
    if kind == "missing":
        return "this field is needed"
    if kind == "value_error":
        return str(ctx["error"])
    if kind == "literal_error":
        return _choice(re.findall(r"[^', ]+(?=')|\d+", ctx["expected"]), value)
    if kind == "union_tag_invalid":
        return _choice(re.findall(r"'([^']*)'", ctx["expected_tags"]), ctx["tag"])
    if kind == "union_tag_not_found":
        return f"this field is needed: {' or '.join(kinds_at(model, place))}"
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} is not allowed; it must match {ctx['pattern']}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        unit = _UNITS.get(str(place[-1]).rsplit("_", 1)[-1], "")
        return f"must be {words} {ctx[key]}{unit}, got {shown(value)}"
    if kind == "tuple_type" and place[0] == "sweep":
        bare = str(place[-1]).removeprefix("sweep.")
        if bare in SweepSpec.model_fields:
            return f"it stands in sweep already; write {bare}"
        return "expected a list of values at a whole field path, such as link.budget_bps: [20000, 40000]"
    if kind in ("model_type", "model_attributes_type"):
        return f"expected fields and their values, got {shown(value)}"
    if kind.split("_")[0] in _KINDS:
        return f"expected {_KINDS[kind.split('_')[0]]}, got {shown(value)}"
    return f"{error['msg']}, got {shown(value)}"


def shown(value: object) -> str:
    """A value as a message shows it: short, and as YAML would write it."""
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 40 else f"'{value[:37]}...'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | BaseModel):
        return "fields and their values"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else str(value)


def _choice(choices: list[str], value: object) -> str:
    near = instead(str(value), choices)
    return f"expected {' or '.join(choices)}, got {shown(value)}" + (
        f"; {near}" if near.startswith("did") else ""
    )


def _known(place: Place, part: type[Strict], model: type[Strict]) -> str:
    """What to write for the unknown field at `place`, in `part`: a near name, or the same name elsewhere."""
    name = str(place[-1])
    if name.isdecimal():
        return "a comma ends a value here: write 5000 or 5_000, not 5,000"
    beside = instead(name, part.model_fields)
    if beside.startswith("did"):
        return beside
    paths = [dotted(p) for p, _ in leaves(model)]
    elsewhere = [p for p in paths if p.rsplit(".", 1)[-1] == name or p.endswith(f".{dotted(place)}")]
    elsewhere = [p for p in elsewhere if p != dotted(place)]
    return f"did you mean {elsewhere[0]}?" if elsewhere else beside


def origin_of_swept(origins: Origins, path: str, index: int) -> Origin:
    """Where value `index` of the sweep axis `path` was written."""
    axis: Place = ("sweep", path)
    origin = next(origins[p] for p in ((*axis, index), axis, ("sweep",), ()) if p in origins)
    names_itself = origins.get(axis, origin).field is None
    return Origin(origin.where, origin.line, None if names_itself else dotted(axis))
