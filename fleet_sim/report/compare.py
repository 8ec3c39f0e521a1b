"""Two runs side by side: how their figures differ, how sure that is, and which differences matter.

Seeds that both runs drew from are paired: the interval and the test (Student's t) are of the differences seed
by seed, in which the luck that both had is gone. Where the seeds are not the same, the means are compared
(Welch, Biometrika 34, 1947). A difference matters where Holm's procedure over all points and figures says so:
of two equal fleets, at least 95 % of comparisons find no difference at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtrit

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.statistics import CONFIDENCE, holm, mean, p_value, standard_error
from fleet_sim.report.results import PointRow, Results, Swept

FIGURES = {
    "accuracy_on_time": "right on time",
    "accuracy": "right of answered",
    "latency_ms_p95": "p95 ms",
    "bpp_wire": "wire bits per pixel",
    "link_utilisation": "link use",
    "energy_joules_a_right_frame": "J a right frame",
}
SHARES = ("accuracy_on_time", "accuracy", "link_utilisation")


@dataclass(frozen=True)
class Difference:
    """B less A in one figure at one point. `half_width` is of its 95 % interval, None with a single seed."""

    sweep: Swept
    figure: str
    a: float
    b: float
    half_width: float | None
    matters: bool

    @property
    def difference(self) -> float:
        """How much larger B's mean is."""
        return self.b - self.a


@dataclass(frozen=True)
class Comparison:
    """All differences, point by point; `settings` are the fields that differ: (A's value, B's value)."""

    a: str
    b: str
    seeds: tuple[int, int]
    paired: bool
    settings: dict[str, tuple[object, object]]
    differences: list[Difference]


def compare(name_a: str, a: Results, name_b: str, b: Results) -> Comparison:
    """B against A at every point that both have; UserError where they share none."""
    rows_b = {_key(row): row for row in b.summary["points"]}
    pairs = [(row, rows_b[_key(row)]) for row in a.summary["points"] if _key(row) in rows_b]
    if not pairs:
        raise UserError(f"{name_a} and {name_b} have no point with the same swept values")
    for name, rows in ((name_a, [row for row, _ in pairs]), (name_b, [row for _, row in pairs])):
        if any("by_seed" not in row for row in rows):
            raise UserError(f"{name}: its points have no figures by seed; run it again with this version")
    found = [(row_a, figure, *_tested(row_a, row_b, figure)) for row_a, row_b in pairs for figure in FIGURES]
    tested = [entry for entry in found if entry[2] is not None]
    matters = holm([p for *_, p in tested])
    differences = [
        Difference(row["sweep"], figure, *means, half, matters=significant)
        for (row, figure, means, half, _), significant in zip(tested, matters, strict=True)
        if means is not None
    ]
    first_a, first_b = pairs[0]
    return Comparison(
        name_a,
        name_b,
        (len(first_a["seeds"]), len(first_b["seeds"])),
        first_a["seeds"] == first_b["seeds"],
        _unlike(a.summary["scenario"], b.summary["scenario"]),
        differences,
    )


def _tested(
    row_a: PointRow, row_b: PointRow, figure: str
) -> tuple[tuple[float, float] | None, float | None, float]:
    """(means, half width of the difference's interval, p), means None where a seed has no such figure."""
    by_a, by_b = row_a["by_seed"].get(figure, [None]), row_b["by_seed"].get(figure, [None])
    values_a, values_b = ([value for value in by if value is not None] for by in (by_a, by_b))
    if len(values_a) < len(by_a) or len(values_b) < len(by_b):
        return None, None, 1.0
    means = mean(values_a), mean(values_b)
    error_a, error_b = standard_error(values_a), standard_error(values_b)
    if error_a is None or error_b is None:
        return means, None, 1.0
    if row_a["seeds"] == row_b["seeds"]:
        error = standard_error([y - x for x, y in zip(values_a, values_b, strict=True)]) or 0.0
        degrees = float(len(values_a) - 1)
    else:
        error = sqrt(error_a**2 + error_b**2)
        parts = error_a**4 / (len(values_a) - 1) + error_b**4 / (len(values_b) - 1)
        degrees = error**4 / parts if parts else 1.0
    half = error * float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
    return means, half, p_value(means[1] - means[0], error, degrees)


def _key(row: PointRow) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(row["sweep"].items()))


def _unlike(a: Mapping[str, object], b: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    leaves_a, leaves_b = dict(_leaves(a)), dict(_leaves(b))
    paths = [*leaves_a, *(path for path in leaves_b if path not in leaves_a)]
    pairs = {path: (leaves_a.get(path), leaves_b.get(path)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def _leaves(fields: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
