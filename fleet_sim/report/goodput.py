"""Goodput against load: where servers or links have had enough."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypedDict

import plotly.graph_objects as go

from fleet_sim.report import words
from fleet_sim.report.results import PointRow, ServingRow
from fleet_sim.report.style import INK, KINDS, styled

NEAR = 0.95  # of the highest goodput
LEAST_LOADS = 3
_LOADS = ("fleet.cameras", "fleet.frame_period_us")


class Knee(TypedDict):
    """The least load of a line of points whose goodput is near the highest; frames a second."""

    line: str
    load_per_s: float | None
    peak_per_s: float
    at_highest_load: float


Loaded = list[tuple[PointRow, ServingRow]]


def lines_of(rows: Sequence[PointRow]) -> dict[str, Loaded]:
    """Points with at least LEAST_LOADS loads and all else alike, by rising load."""
    lines = defaultdict[str, Loaded](list)
    for row in rows:
        if "serving" in row and any(path in row["sweep"] for path in _LOADS):
            others = {path: value for path, value in row["sweep"].items() if path not in _LOADS}
            lines[words.labels(others) if others else "all points"].append((row, row["serving"]))
    rising = {name: sorted(line, key=lambda pair: pair[1]["offered_per_s"]) for name, line in lines.items()}
    return {name: line for name, line in rising.items() if len(line) >= LEAST_LOADS}


def knees(rows: Sequence[PointRow]) -> list[Knee]:
    """One for each line; no load where only the highest comes near the peak, so goodput may grow on."""
    found: list[Knee] = []
    for name, line in lines_of(rows).items():
        goodput = [serving["goodput_per_s"] for _, serving in line]
        peak = max(goodput)
        first = next(place for place, rate in enumerate(goodput) if rate >= NEAR * peak)
        reached = first + 1 < len(line) and peak > 0
        found.append(
            {
                "line": name,
                "load_per_s": line[first][1]["offered_per_s"] if reached else None,
                "peak_per_s": peak,
                "at_highest_load": round(goodput[-1] / peak, 6) if peak else 0.0,
            }
        )
    return found


def knee_words(knee: Knee) -> str:
    """A knee in one line."""
    name = "" if knee["line"] == "all points" else f"{knee['line']}: "
    peak = f"goodput {words.number(knee['peak_per_s'])}/s"
    if knee["load_per_s"] is None:
        return f"{name}{peak} at the highest load, no knee"
    return (
        f"{name}knee at {words.number(knee['load_per_s'])} frames/s, {peak}, "
        f"{words.percent(knee['at_highest_load'])} at the highest load"
    )


def goodput(rows: Sequence[PointRow]) -> go.Figure | None:
    """Frames right on time a second against frames offered a second; None without a sweep over load."""
    lines = lines_of(rows)
    if not lines:
        return None
    figure = go.Figure()
    for number, (name, line) in enumerate(lines.items()):
        figure.add_scatter(
            x=[serving["offered_per_s"] for _, serving in line],
            y=[serving["goodput_per_s"] for _, serving in line],
            customdata=[[serving["utilisation"], row["latency_ms"]["p99"]] for row, serving in line],
            name=name,
            mode="lines+markers",
            line={"color": KINDS[number % len(KINDS)], "width": 2.5},
            marker={"size": 8},
            hovertemplate="%{x:,.0f} offered<br>%{y:,.0f} right on time a second"
            "<br>servers busy %{customdata[0]:.0%}<br>99 % within %{customdata[1]:,.0f} ms"
            "<extra>%{fullData.name}</extra>",
        )
    for knee in knees(rows):
        if knee["load_per_s"] is not None:
            at = next(s for _, s in lines[knee["line"]] if s["offered_per_s"] == knee["load_per_s"])
            figure.add_annotation(x=at["offered_per_s"], y=at["goodput_per_s"], text="knee", arrowcolor=INK)
    styled(figure, 400)
    figure.update_xaxes(title_text="frames offered a second", rangemode="tozero")
    figure.update_yaxes(title_text="right on time a second", rangemode="tozero")
    return figure.update_layout(margin_t=60)
