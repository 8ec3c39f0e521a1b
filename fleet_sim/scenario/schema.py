"""What a scenario may say: as JSON Schema, for editors that complete and check YAML, and as a table."""

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from fleet_sim.basics.spec import Strict
from fleet_sim.scenario.document import dotted
from fleet_sim.scenario.fields import kind_name, leaves
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.scenario.sweep import sweepable

_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file."""
    schema = Scenario.model_json_schema()
    sweep = schema["$defs"]["SweepSpec"]
    sweep["propertyNames"] = {"enum": [*sweep["properties"], *sweepable()]}
    sweep["additionalProperties"]["minItems"] = 1
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def reference_table() -> str:
    """Every field in a Markdown table: its default, what it may be, what it is for."""
    rows = ["| field | default | values | what |", "|---|---|---|---|", *_rows(Scenario, "")]
    return "\n".join(rows) + "\n"


def _rows(model: type[Strict], prefix: str) -> list[str]:
    """A row a field; the fields of a list's items follow the list."""
    rows = []
    for place, part in leaves(model):
        name, shown = str(place[-1]), prefix + dotted(place)
        field, kind = part.model_fields[name], kind_name(part)
        if name == "kind" and kind is not None:
            default = "" if field.is_required() else _default(field)
            rows.append(f"| `{shown}` | {default} | `{kind}` | {_first_line(part)} |")
            continue
        what = ": ".join(text for text in (kind, field.description) if text)
        rows.append(f"| `{shown}` | {_default(field)} | {_allowed(field)} | {what} |")
        if shown == "sweep.seeds":
            rows.append("| `sweep.<field path>` |  | a list | values of that field, all combined |")
        item = get_args(field.annotation)[0] if get_origin(field.annotation) is tuple else None
        if isinstance(item, type) and issubclass(item, Strict):
            rows += _rows(item, f"{shown}[].")
    return rows


def _default(field: FieldInfo) -> str:
    return "needed" if field.is_required() else f"`{_written(field.get_default())}`"


def _first_line(part: type[Strict]) -> str:
    return (part.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _written(default: object) -> str:
    """A default as YAML writes it in a line."""
    if isinstance(default, tuple):
        return f"[{', '.join(_written(item) for item in default)}]"
    if isinstance(default, Strict):
        chosen = (f"{name}: {_written(getattr(default, name))}" for name in sorted(default.model_fields_set))
        return f"{{{', '.join(chosen)}}}"
    if default is None:
        return "null"
    return str(default).lower() if isinstance(default, bool) else str(default)


def _allowed(field: FieldInfo) -> str:
    """The choices or the bounds of a field."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    bounds = {name: getattr(item, name) for item in field.metadata for name in _BOUNDS if hasattr(item, name)}
    return ", ".join(f"{_BOUNDS[name]} {bound}" for name, bound in bounds.items())
