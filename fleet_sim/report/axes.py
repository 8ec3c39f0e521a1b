"""Which swept field runs along a figure, and which points belong to one line."""

from dataclasses import dataclass

from fleet_sim.report import words
from fleet_sim.report.results import PointRow

Value = str | int | float | None


@dataclass(frozen=True)
class Axes:
    """The field along x, and the points of each line by the line's label, rising in x if that is numeric."""

    path: str
    numeric: bool
    lines: dict[str, list[PointRow]]
    line_title: str

    def x(self, row: PointRow) -> Value:
        """The value of `row` along x."""
        return along(row, self.path)

    def values(self) -> list[Value]:
        """All values along x, rising if they are numbers."""
        found = dict.fromkeys(self.x(row) for rows in self.lines.values() for row in rows)
        return sorted(found, key=_rank) if self.numeric else list(found)


def along(row: PointRow, path: str) -> Value:
    """The value at `row` of the field `path`, swept or (budget and cameras) not."""
    if path in row["sweep"]:
        return row["sweep"][path]
    return row["budget_bps"] if path == "link.budget_bps" else row["cameras"]


def axes(rows: list[PointRow]) -> Axes:
    """Along x runs the first swept field of numbers other than the camera count; else cameras; else the first
    swept field; else the budget. All other swept fields tell lines apart.
    """
    swept = list(rows[0]["sweep"])
    numbers = [path for path in swept if all(_is_number(row["sweep"][path]) for row in rows)]
    preferred = [path for path in numbers if path != "fleet.cameras"] + numbers + swept
    path = preferred[0] if preferred else "link.budget_bps"
    others = [other for other in swept if other != path]
    order = {other: _in_order([row["sweep"][other] for row in rows]) for other in others}
    lines: dict[str, list[PointRow]] = {}
    for row in sorted(rows, key=lambda row: [order[other].index(row["sweep"][other]) for other in others]):
        names = [words.label(other, row["sweep"][other]) for other in others]
        lines.setdefault(", ".join(names) or "all points", []).append(row)
    numeric = path in numbers or not swept
    if numeric:
        lines = {name: sorted(line, key=lambda row: _rank(along(row, path))) for name, line in lines.items()}
    return Axes(path, numeric, lines, ", ".join(words.title(other) for other in others))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_order(values: list[Value]) -> list[Value]:
    """Each once: numbers by size, others as the scenario has them."""
    once = list(dict.fromkeys(values))
    return sorted(once, key=_rank) if all(map(_is_number, once)) else once


def _rank(value: Value) -> tuple[float, str]:
    """An order of values of any kind: numbers by size, then texts."""
    return (float(value), "") if isinstance(value, int | float) else (float("inf"), str(value))
