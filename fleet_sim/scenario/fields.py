"""The fields of a scenario's model, found by where a user writes them.

A part whose fields depend on its `kind` is a union of models; pydantic's path names it, a user's does not.
"""

from typing import Any, get_args, get_origin

from fleet_sim.basics.spec import Strict
from fleet_sim.scenario.document import Place


def leaves(model: type[Strict]) -> list[tuple[Place, type[Strict]]]:
    """Place of each field below `model` that is not itself a part with fields, and the part that has it.

    A field that several kinds of a part have is there once for each.
    """
    found: list[tuple[Place, type[Strict]]] = []
    for name, field in model.model_fields.items():
        kinds = kinds_of(field.annotation)
        found += [((name, *below), part) for kind in kinds for below, part in leaves(kind)]
        if not kinds:
            found.append(((name,), model))
    return found


def kinds_of(annotation: Any) -> tuple[type[Strict], ...]:
    """The models that a part of this type may be; none if it is a single value or a list."""
    choices = (annotation,) if isinstance(annotation, type) else get_args(annotation)
    parts = tuple(kind for kind in choices if isinstance(kind, type) and issubclass(kind, Strict))
    return () if get_origin(annotation) is tuple else parts


def kinds_at(model: type[Strict], place: Place) -> list[str]:
    """Kinds that the part at `place` below `model` may be of; none where it is of no kind, or in a list."""
    part: Any = model
    for key in place:
        (one, *others) = kinds_of(part) or (None,)
        if one is None or others or key not in one.model_fields:
            return []
        part = one.model_fields[key].annotation
    kinds = kinds_of(part)
    return [str(kind_name(kind)) for kind in kinds] if len(kinds) > 1 else []


def kind_name(part: type[Strict]) -> str | None:
    """How a scenario names this kind of a part; None for a part that has only one."""
    field = part.model_fields.get("kind")
    names = get_args(field.annotation) if field is not None else ()
    return str(names[0]) if len(names) == 1 else None


def written_place(model: type[Strict], location: Place) -> tuple[Place, type[Strict]]:
    """The place that pydantic calls `location`, without kinds, and the part which has its last field."""
    place: Place = ()
    here: Any = model
    part = model
    for key in location:
        by_name = {kind_name(kind): kind for kind in kinds_of(here)}
        if len(by_name) > 1:
            here = by_name[str(key)]
            continue
        place = (*place, key)
        if isinstance(key, int):
            here = get_args(here)[0]
        elif kinds_of(here):
            part = kinds_of(here)[0]
            here = part.model_fields[key].annotation if key in part.model_fields else None
    return place, part
