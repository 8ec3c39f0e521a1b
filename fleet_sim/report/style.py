"""The look that all figures share."""

from collections.abc import Sequence

import plotly.graph_objects as go

INK, FAINT, GRID = "#1c2733", "#6b7885", "#e7ebef"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
WIDE = "wide"  # name of annotations that a narrow page has no room for
# Few, for things of different kind; light to dark, for things in an order.
KINDS = ("#15557f", "#c9603f", "#4f8a6b", "#8468a8", "#b08a2e", "#4c5f73")
_ORDER = ("#a9cbe2", "#7db1d3", "#4f93be", "#2b72a3", "#15557f", "#0a3350")
SHARE_SCALE = [[0.0, "#f6ece6"], [0.35, "#e3b79f"], [0.6, "#a9c4d6"], [0.85, "#4f93be"], [1.0, "#15557f"]]

# What becomes of a frame: the good in blue, the bad in warm tones, the rest grey.
FATES = {
    "right on time": "#15557f",
    "right but late": "#8fb9d4",
    "wrong": "#c3cad1",
    "buffer": "#c9603f",
    "deadline": "#e0a458",
    "loss": "#8468a8",
    "outage": "#5b4a72",
    "corrupt": "#a8486a",
    "incompatible": "#7a5a3a",
    "shed": "#b08a2e",
    "skipped": "#4f8a6b",
    "busy": "#3f6f6a",
    "in flight": "#e7ebef",
}


def in_order(count: int) -> list[str]:
    """`count` colours from light to dark; the darkest of the usable if one."""
    if count == 1:
        return [KINDS[0]]
    return [_ORDER[round(i * (len(_ORDER) - 1) / (count - 1))] for i in range(count)]


def styled(figure: go.Figure, height: int, legend: bool = True) -> go.Figure:
    """`figure` in the common look, `height` pixels high, its legend in rows above it."""
    figure.update_layout(
        height=height,
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        showlegend=legend,
        legend={
            "orientation": "h",
            "traceorder": "normal",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "title": None,
        },
        hoverlabel={"font": {"family": FONT, "size": 13}, "bgcolor": "white", "bordercolor": GRID},
        dragmode=False,
    )
    axis = {
        "gridcolor": GRID,
        "linecolor": FAINT,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"color": FAINT, "size": 12},
        "title": {"font": {"color": FAINT, "size": 12}, "standoff": 10},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def ticks(values: Sequence[float], names: Sequence[str]) -> dict[str, object]:
    """An axis of numbers, logarithmic if they span more than eightfold, with at most 9 named ticks."""
    low, high = min(values), max(values)
    logarithmic = low > 0 and high > 8 * low
    step = -(-len(values) // 9)
    return {
        "type": "log" if logarithmic else "linear",
        "tickvals": list(values)[::step],
        "ticktext": list(names)[::step],
        "showgrid": True,
        "minor": {"showgrid": False},
    }
