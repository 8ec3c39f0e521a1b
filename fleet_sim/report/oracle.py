"""How near each point came to the best there could have been."""

import plotly.graph_objects as go

from fleet_sim.report import intervals, words
from fleet_sim.report.figures import height, thinned
from fleet_sim.report.results import PointRow
from fleet_sim.report.style import INK, KINDS, styled


def nearness(rows: list[PointRow]) -> go.Figure | None:
    """On-time accuracy of each point, a bar, and of its oracle, a mark; None where no oracle was asked."""
    shown = [row for row in thinned(rows) if "oracle" in row]
    if not shown:
        return None
    names = [words.labels(row["sweep"]) for row in shown]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[row["accuracy_on_time"] for row in shown],
        text=[intervals.percent(row, "oracle_share") for row in shown],
        textposition="inside",
        insidetextanchor="start",
        orientation="h",
        name="right on time, and its share of the oracle",
        marker={"color": KINDS[0]},
        hovertemplate="%{y}<br>%{x:.1%} right on time, %{text} of the oracle<extra></extra>",
    )
    figure.add_scatter(
        x=[row["oracle"]["accuracy_on_time"] for row in shown],
        y=names,
        name="the oracle",
        mode="markers",
        marker={"symbol": "line-ns", "size": 18, "line": {"color": INK, "width": 2.5}},
        hovertemplate="%{y}<br>the oracle %{x:.1%}<extra></extra>",
    )
    styled(figure, height(len(shown)))
    figure.update_xaxes(title_text="right on time, of all offered", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure.update_layout(bargap=0.35, margin_t=72)


def oracle_words(row: PointRow) -> str:
    """Of which kind a point's oracle is, and where it was asked."""
    kind, cells = row["oracle_of"]["kind"], row["oracle_of"]["cells"]
    exact = "It is exact. "
    if kind == "cell":
        exact = (
            "It may spend all that a cell's link carries on any frames, whatever their deadlines: a bound. "
        )
    asked = f"{len(cells)} of {row['cells']:,} cells, evenly chosen"
    return f"{exact}It was asked of {'every cell' if len(cells) == row['cells'] else asked}."
