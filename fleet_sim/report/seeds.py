"""One point simulated with several seeds: its figures together, with intervals."""

from collections.abc import Iterator, Mapping, Sequence

from fleet_sim.basics.statistics import half_width, mean
from fleet_sim.engine.figures import Row

_SAME = ("cameras", "cells", "budget_bps", "duration_us")
_MOST = ("cell_wire_bps_max",)


def together(rows: Sequence[Row], seeds: Sequence[int]) -> Row:
    """The figures of a point from those of each of its `seeds`.

    Counts are sums over the seeds; shares, means and latencies are means of their values, each with half the
    width of its 95 % interval in `interval` and the values themselves in `by_seed`, by name (`latency_ms.p95`
    is ``latency_ms_p95``). Where a seed has no value, as where nothing was answered, there is no interval.
    """
    measured = [dict(_measured(row)) for row in rows]
    by_seed = {name: [values[name] for values in measured] for name in measured[0]}
    whole = {name: [value for value in values if value is not None] for name, values in by_seed.items()}
    intervals = {
        name: half_width(values) if len(values) == len(rows) else None for name, values in whole.items()
    }
    return {
        **_joined(rows),
        "seeds": list(seeds),
        "by_seed": by_seed,
        "interval": {name: None if half is None else round(half, 6) for name, half in intervals.items()},
    }


def _joined(rows: Sequence[Mapping[str, object]]) -> Row:
    return {name: _together(name, [row[name] for row in rows]) for name in rows[0]}


def _together(name: str, values: Sequence[object]) -> object:
    if isinstance(values[0], Mapping):
        return _joined(values)  # type: ignore[arg-type]
    if name in _SAME or len(values) == 1 or isinstance(values[0], str):
        return values[0]
    numbers = [value for value in values if isinstance(value, int | float)]
    if any(isinstance(value, float) for value in numbers) or not numbers:
        return round(mean(numbers), 6) if numbers else None
    return max(numbers) if name in _MOST else sum(numbers)


def _measured(row: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, float | None]]:
    """The figures of `row` that are no counts, by name."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _measured(value, f"{prefix}{name}_")
        elif value is None or isinstance(value, float):
            yield f"{prefix}{name}", value
