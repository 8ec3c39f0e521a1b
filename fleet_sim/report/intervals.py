"""Figures with their 95 % intervals, where a point was simulated with several seeds."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.report import words
from fleet_sim.report.results import PointRow


def half_width(row: PointRow, name: str) -> float | None:
    """Half the width of the interval of a figure (`latency_ms.p95` is ``latency_ms_p95``), if it has one."""
    return row.get("interval", {}).get(name)


def percent(row: PointRow, name: str) -> str:
    """A share as ``93.1 ±0.4 %``; without an interval ``93.1 %``."""
    half = half_width(row, name)
    shown = words.percent(value(row, name))
    return shown if half is None else f"{shown.removesuffix(' %')} ±{100 * half:.1f} %"


def number(row: PointRow, name: str, digits: int = 0, factor: float = 1.0) -> str:
    """A number times `factor`, as ``5.21 ±0.03``."""
    found, half = value(row, name), half_width(row, name)
    shown = words.number(None if found is None else factor * found, digits)
    return shown if half is None else f"{shown} ±{words.number(factor * half, digits)}"


def bars(rows: Sequence[PointRow], name: str) -> dict[str, Any] | None:
    """Error bars of a figure for plotly; None if no row has an interval."""
    halves = [half_width(row, name) for row in rows]
    if all(half is None for half in halves):
        return None
    return {"type": "data", "array": [half or 0 for half in halves], "thickness": 1.2, "width": 4}


def value(row: PointRow, name: str) -> float | None:
    """The figure itself, by the same name."""
    if name.startswith("latency_ms_"):
        return row["latency_ms"][name.removeprefix("latency_ms_")]
    if name.startswith("oracle_"):
        return row["oracle"][name.removeprefix("oracle_")]  # type: ignore[literal-required,no-any-return]
    if name.startswith("energy_"):
        return row["energy"][name.removeprefix("energy_")]  # type: ignore[literal-required,no-any-return]
    return row[name]  # type: ignore[literal-required,no-any-return]
