"""The figure of versions over time: which answered what share of the frames, releases marked."""

from collections import defaultdict
from itertools import pairwise

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fleet_sim.report import words
from fleet_sim.report.releases import SHORT, ReleaseRow, VersionRow
from fleet_sim.report.results import Summary
from fleet_sim.report.style import FAINT, INK, KINDS, WIDE, styled

MOST_PANELS = 8
MOST_BINS = 400
PANEL_HEIGHT = 160
ROOM = 0.11  # of the width, for the name of a mark


def versions_figure(summary: Summary, versions: list[VersionRow]) -> tuple[go.Figure, int, int]:
    """A panel a point and group of cameras, at most eight; (figure, panels shown, panels there are)."""
    every = list(dict.fromkeys((row["point"], row["group"]) for row in versions))
    shown = every[:MOST_PANELS]
    several = len({row["encoder"] for row in versions}) > 1
    names = list(dict.fromkeys(_name(row, several) for row in versions))
    labels = {row["point"]: words.labels(row["sweep"]) for row in summary["points"]}
    groups = len({group for _, group in every}) > 1
    titles = [", ".join(part for part in (labels[p], g if groups else "") if part) for p, g in shown]
    figure = make_subplots(
        rows=len(shown),
        cols=1,
        shared_xaxes=True,
        subplot_titles=titles,
        vertical_spacing=0.3 / len(shown),
    )
    for panel, (point, group) in enumerate(shown, start=1):
        own = [row for row in versions if (row["point"], row["group"]) == (point, group)]
        for name, (x, y) in _shares(own, names, several).items():
            figure.add_scatter(
                x=x,
                y=y,
                name=name,
                legendgroup=name,
                showlegend=panel == 1,
                mode="lines",
                stackgroup="all",
                line={"width": 0, "shape": "hv", "color": KINDS[names.index(name) % len(KINDS)]},
                hovertemplate="%{x:g} s: %{y:.1%}<extra>" + name + "</extra>",
                row=panel,
                col=1,
            )
        released = [row for row in summary.get("releases", []) if row["point"] == point and not row["repeat"]]
        _mark(figure, released, panel, length_s=max(row["second"] for row in own) + 1)
    styled(figure, 110 + PANEL_HEIGHT * len(shown))
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    figure.update_xaxes(title_text="virtual time in seconds", row=len(shown))
    for annotation in figure.layout.annotations[: len(shown)]:
        annotation.update(x=0, xanchor="left", yshift=15, font={"size": 13, "color": INK})
    return figure.update_layout(margin_t=90), len(shown), len(every)


def _name(row: VersionRow, several: bool) -> str:
    return f"{row['head']}, encoder {row['encoder'][:SHORT]}" if several else row["head"]


def _shares(
    rows: list[VersionRow], names: list[str], several: bool
) -> dict[str, tuple[list[int], list[float]]]:
    """Of each name the share of the answers in every bin of seconds."""
    width = max(row["second"] for row in rows) // MOST_BINS + 1
    answered: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for row in rows:
        answered[row["second"] // width * width][_name(row, several)] += row["answered"]
    x = sorted(answered)
    return {name: (x, [answered[s][name] / sum(answered[s].values()) for s in x]) for name in names}


def _mark(figure: go.Figure, releases: list[ReleaseRow], panel: int, length_s: int) -> None:
    """Lines where releases begin and end, with what happens there where the next leaves room for it."""
    marks: dict[float, list[str]] = defaultdict(list)
    for row in releases:
        for at_s, what in ((row["begun_s"], "begins"), (row["ended_s"], row["end"])):
            if at_s is not None:
                marks[at_s].append(f"{row['release']} {what}")
    nothing_more = (2.0 * length_s, [""])
    for (at_s, happened), (next_s, _) in pairwise([*sorted(marks.items()), nothing_more]):
        figure.add_vline(x=at_s, line={"color": INK, "width": 1, "dash": "dot"}, row=panel, col=1)
        if next_s - at_s < ROOM * length_s:
            continue
        figure.add_annotation(
            x=at_s, y=1, yref="y domain", yanchor="bottom", xanchor="left", showarrow=False,
            text=", ".join(happened), font={"size": 11, "color": FAINT}, name=WIDE, row=panel, col=1,
        )  # fmt: skip
