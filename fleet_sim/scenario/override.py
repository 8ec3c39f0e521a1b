"""What `--set field.path=value` does to a document."""

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.spec import Strict
from fleet_sim.scenario.document import Document, Origin, Origins, Place, Value, dotted, parse
from fleet_sim.scenario.fields import kinds_at


def override(document: Document, text: str, model: type[Strict]) -> tuple[Document, list[str]]:
    """`document` of a `model` with `text` (``field.path=value``, the value in YAML) applied; notes of more.

    What follows ``sweep.`` is one name, since an axis is itself called by a field path. Whoever sets a swept
    field means that one value, so the axis goes. A part that becomes of another kind has the defaults of that
    kind, as in a sweep. UserError if `text` cannot be applied.
    """
    where = f"--set {text}"
    path, equals, written = text.partition("=")
    names = path.strip().split(".", 1 if path.strip().startswith("sweep.") else -1)
    if not equals or not all(names):
        raise UserError(f"{where}: expected field.path=value, such as link.budget_bps=20000")
    parsed = parse(written, where, with_lines=False)
    document, of_other_kind = _of_kind(document, names, parsed.values, model)
    notes = [f"{where} leaves out {', '.join(of_other_kind)}, of another kind"] if of_other_kind else []
    place, values = _put(document.values, names, (), parsed.values, where)

    origins = _relocated(document.origins, parsed.origins, place, where)
    if not isinstance(values, dict) or not isinstance(axes := values.get("sweep"), dict):
        return Document(values, origins), notes
    field = dotted(place)
    dropped = [axis for axis in axes if axis == field or axis.startswith(f"{field}.")]
    kept: Value = {axis: choices for axis, choices in axes.items() if axis not in dropped}
    if dropped:
        notes.append(f"{where} replaces the sweep over {', '.join(dropped)}")
    return Document({**values, "sweep": kept}, origins), notes


def _of_kind(
    document: Document, names: list[str], kind: Value, model: type[Strict]
) -> tuple[Document, list[str]]:
    """`document` without the fields beside a kind that is to become another, and the names of these."""
    *above, name = names
    if name != "kind" or kind not in kinds_at(model, tuple(above)):
        return document, []
    part: Value = document.values
    for key in above:
        part = part.get(key) if isinstance(part, dict) else None
    if not isinstance(part, dict) or part.get("kind", kind) == kind:
        return document, []
    others = [field for field in part if field != "kind"]
    gone = {(*above, field) for field in others}
    _, values = _put(document.values, above, (), {"kind": part["kind"]}, "")
    origins = {place: at for place, at in document.origins.items() if place[: len(names)] not in gone}
    return Document(values, origins), others


def _put(here: Value, names: list[str], above: Place, value: Value, where: str) -> tuple[Place, Value]:
    """Where `names` lead from `here`, which stands at `above`; a copy of `here` with `value` put there."""
    if not names:
        return above, value
    name, rest = names[0], names[1:]
    if isinstance(here, list):
        if not (name.isdecimal() and int(name) < len(here)):
            raise UserError(f"{where}: {dotted(above)} is a list of {len(here)}; its items are 0, 1, ...")
        index = int(name)
        place, item = _put(here[index], rest, (*above, index), value, where)
        return place, [*here[:index], item, *here[index + 1 :]]
    if here is not None and not isinstance(here, dict):
        raise UserError(f"{where}: {dotted(above)} is a single value; it has no field '{name}'")
    fields = here or {}
    place, below = _put(fields.get(name), rest, (*above, name), value, where)
    return place, {**fields, name: below}


def _relocated(origins: Origins, inner: Origins, place: Place, where: str) -> Origins:
    """`origins` with those at and below `place` replaced by `inner`, whose places are seen from there."""
    kept = {p: origin for p, origin in origins.items() if p[: len(place)] != place}
    moved = {(*place, *p): Origin(where, field=dotted((*place, *p)) if p else None) for p in inner}
    opened = {place[:n]: Origin(where, field=dotted(place[:n])) for n in range(1, len(place))}
    return opened | kept | moved
