"""The figure over virtual time."""

from collections import defaultdict
from collections.abc import Iterable

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fleet_sim.report.results import Summary, TimelineRow
from fleet_sim.report.style import FAINT, KINDS, WIDE, styled

MOST_POINTS = 24
MOST_BINS = 400

_Bin = dict[str, int]
_SUMMED = ("offered", "sent", "level_sum", "answered", "right", "right_on_time")


def over_time(summary: Summary, timeline: list[TimelineRow]) -> tuple[go.Figure, list[int], int]:
    """Level, answers and frames a second for each of at most 24 points, of which the first is visible.

    Returns the figure, the indices of the points it holds, and its number of traces a point.
    """
    by_point = defaultdict(list)
    for row in timeline:
        if row["cell"] == -1:
            by_point[row["point"]].append(row)
    every = sorted(by_point)
    points = every[:: -(-len(every) // MOST_POINTS)]
    bins = {point: _bins(by_point[point]) for point in points}
    lines = {point: _traces(bins[point], visible=point == points[0]) for point in points}
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[4, 3, 3])
    for panel, trace in (line for point in points for line in lines[point]):
        figure.add_trace(trace, row=panel, col=1)
    styled(figure, 560)
    events = _events(summary)
    top = max(row["level"] for row in summary["ladder"])
    room = 0.32 * max(top, 1) if events else 0.2  # above the highest level, for the names of events
    figure.update_yaxes(title_text="mean level", range=[-0.2, top + room], row=1)
    figure.update_yaxes(title_text="right of answered", tickformat=".1~%", range=_accuracies(bins), row=2)
    figure.update_yaxes(title_text="frames a second", rangemode="tozero", row=3)
    figure.update_xaxes(title_text="virtual time in seconds", row=3)
    _mark(figure, events, max(row["duration_us"] for row in summary["points"]))
    return figure.update_layout(margin_t=56, hovermode="x unified"), points, len(lines[points[0]])


def _accuracies(bins: dict[int, dict[float, _Bin]]) -> list[float]:
    """An axis that holds the accuracies of all points with 5 % to spare on each side."""
    found = [b["right"] / b["answered"] for point in bins.values() for b in point.values() if b["answered"]]
    return [max(-0.02, min(found) - 0.05), min(1.02, max(found) + 0.05)] if found else [0, 1]


def _mark(figure: go.Figure, events: list[tuple[int, str]], length_us: int) -> None:
    """Dotted lines through all panels at the events, their names in turn on two lines at the top."""
    for number, (at_us, text) in enumerate(events):
        early = at_us < length_us / 2
        figure.add_vline(x=at_us / 1e6, line={"color": FAINT, "width": 1, "dash": "dot"}, row="all", col=1)
        figure.add_annotation(
            x=at_us / 1e6, y=1, yref="paper", yanchor="top", yshift=-17 * (number % 2), text=text,
            xanchor="left" if early else "right", xshift=2 if early else -2,
            showarrow=False, font={"size": 12, "color": FAINT}, name=WIDE,
        )  # fmt: skip


def _events(summary: Summary) -> list[tuple[int, str]]:
    """Virtual times within the run at which a version is published or a head taken up, in order."""
    events = [
        (encoder["at_us"], f"new version ({encoder['recipe']})")
        for encoder in summary["versions"]["encoders"]
        if encoder["at_us"] > 0
    ]
    released = "releases" in summary  # in waves, which another figure shows
    switches = () if released else summary["scenario"]["serving"]["switches"]
    period_us = int(str(summary["scenario"]["control"]["period_us"]))
    for switch in switches if isinstance(switches, list) else []:
        taken_up_us = -(-switch["at_us"] // period_us) * period_us
        events.append((taken_up_us, f"head {switch['head']}"))
    if not released:
        heads = summary.get("retrained", [])
        first = [row for row in heads if not row["point"] and not row["repeat"]]
        events += dict.fromkeys((row["at_us"], f"head {row['head']}") for row in first)
    length_us = max(row["duration_us"] for row in summary["points"])
    return sorted(event for event in events if event[0] < length_us)


def _bins(rows: Iterable[TimelineRow]) -> dict[float, _Bin]:
    """Sums by virtual second, or by so many seconds that there are at most 400 bins; keyed by the middle."""
    by_second: dict[int, _Bin] = defaultdict(lambda: dict.fromkeys((*_SUMMED, "seconds"), 0))
    listed = list(rows)
    width = -(-(max(row["second"] for row in listed) + 1) // MOST_BINS)
    seconds = defaultdict(set)
    for row in listed:
        key = row["second"] // width * width
        seconds[key].add(row["second"])
        for name in _SUMMED:
            by_second[key][name] += int(row[name])  # type: ignore[literal-required]
    for key, sums in by_second.items():
        sums["seconds"] = len(seconds[key])
    return {key + (width - 1) / 2: sums for key, sums in sorted(by_second.items())}


def _traces(bins: dict[float, _Bin], visible: bool) -> list[tuple[int, go.Scatter]]:
    """The panel (1 to 3) and the trace of each of a point's lines."""
    x = list(bins)

    def line(name: str, y: list[float | None], colour: str, hover: str, fill: bool = False) -> go.Scatter:
        return go.Scatter(
            x=x, y=y, name=name, visible=visible, mode="lines", line={"color": colour, "width": 2},
            fill="tozeroy" if fill else None, hovertemplate=hover + "<extra>%{fullData.name}</extra>",
        )  # fmt: skip

    def share(part: str, whole: str) -> list[float | None]:
        return [b[part] / b[whole] if b[whole] else None for b in bins.values()]

    def a_second(part: str) -> list[float | None]:
        return [b[part] / b["seconds"] for b in bins.values()]

    return [
        (1, line("mean level of sent frames", share("level_sum", "sent"), KINDS[0], "%{y:.2f}")),
        (2, line("right of answered", share("right", "answered"), KINDS[2], "%{y:.1%}")),
        (3, line("offered", a_second("offered"), "#9aa6b2", "%{y:,.0f}")),
        (3, line("right on time", a_second("right_on_time"), KINDS[0], "%{y:,.0f}", fill=True)),
    ]
