"""The figures over sweep points. Each makes sense for one point and for any swept fields."""

import plotly.graph_objects as go

from fleet_sim.report import intervals, words
from fleet_sim.report.axes import Axes, axes
from fleet_sim.report.results import EncoderRow, PointRow, Summary
from fleet_sim.report.style import FATES, INK, KINDS, SHARE_SCALE, in_order, styled, ticks

MOST_ROWS = 40
LATENCIES = {"p50": ("half", "#15557f"), "p95": ("95 %", "#4f93be"), "p99": ("99 %", "#a9cbe2")}


def rate(summary: Summary) -> go.Figure:
    """Accuracy against payload bits per pixel: a curve a head and version, the sweep's points over them."""
    figure = go.Figure()
    encoders = summary["versions"]["encoders"]
    heads = list(dict.fromkeys(row["head"] for row in summary["ladder"]))
    for number, encoder in enumerate(encoders):
        for head in heads:
            curve = [r for r in summary["ladder"] if r["encoder"] == encoder["id"] and r["head"] == head]
            figure.add_scatter(
                x=[r["bpp_payload"] for r in curve],
                y=[r["accuracy"] for r in curve],
                customdata=[[r["level"], r["neurons"]] for r in curve],
                name=_curve_name(head, encoder, encoders),
                mode="lines+markers",
                line={
                    "color": KINDS[heads.index(head) % len(KINDS)],
                    "width": 2,
                    "dash": "solid" if number == len(encoders) - 1 else "dot",
                },
                marker={"size": 5},
                hovertemplate="%{x:.3f} bits per pixel<br>%{y:.1%} right<br>"
                "level %{customdata[0]}: %{customdata[1]} neurons<extra>%{fullData.name}</extra>",
            )
    sent = [row for row in summary["points"] if row["accuracy"] is not None]
    figure.add_scatter(
        x=[row["bpp_payload"] for row in sent],
        y=[row["accuracy"] for row in sent],
        error_y=intervals.bars(sent, "accuracy"),
        text=[words.labels(row["sweep"]) for row in sent],
        name="sweep points",
        mode="markers",
        marker={"symbol": "diamond", "size": 10, "color": INK, "line": {"color": "white", "width": 1.5}},
        hovertemplate="%{text}<br>%{x:.3f} bits per pixel<br>%{y:.1%} of answered right<extra></extra>",
    )
    styled(figure, 430)
    bits = [r["bpp_payload"] for r in summary["ladder"]]
    figure.update_xaxes(title_text="payload bits per pixel", **_rate_ticks(bits))
    figure.update_yaxes(title_text="right of answered", tickformat=".1~%")
    figure.update_layout(margin_t=60 + 22 * (len(encoders) > 1))
    return figure


def on_time(rows: list[PointRow]) -> go.Figure:
    """Frames right on time / offered, along the swept field."""
    chosen = axes(rows)
    figure = go.Figure()
    for (name, line), colour in zip(chosen.lines.items(), in_order(len(chosen.lines)), strict=True):
        figure.add_scatter(
            x=_positions(chosen, line),
            y=[row["accuracy_on_time"] for row in line],
            error_y=intervals.bars(line, "accuracy_on_time"),
            customdata=[words.value(chosen.path, chosen.x(row)) for row in line],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 8},
            hovertemplate="%{customdata}<br>%{y:.1%} right on time<extra>%{fullData.name}</extra>",
        )
    many = len(chosen.lines) > 1
    styled(figure, 380 if len(rows) > 1 else 260, legend=many)
    figure.update_xaxes(title_text=words.title(chosen.path), **_axis(chosen))
    figure.update_yaxes(title_text="right on time, of all offered", tickformat=".0%", range=[-0.02, 1.03])
    return figure.update_layout(margin_t=48 if many else 12)


def heat_map(rows: list[PointRow]) -> go.Figure | None:
    """The same figures as a table in colour; None unless two fields are swept over two values or more."""
    chosen = axes(rows)
    if len(rows[0]["sweep"]) != 2 or len(chosen.lines) < 2 or len(chosen.values()) < 2:
        return None
    values = chosen.values()
    cells = [{chosen.x(row): row for row in line} for line in chosen.lines.values()]
    figure = go.Figure(
        go.Heatmap(
            x=[words.value(chosen.path, value) for value in values],
            y=list(chosen.lines),
            z=[[_on_time_of(line.get(value)) for value in values] for line in cells],
            text=[[_share_of(line.get(value)) for value in values] for line in cells],
            zmin=0,
            zmax=1,
            colorscale=SHARE_SCALE,
            showscale=False,
            xgap=3,
            ygap=3,
            texttemplate="%{z:.0%}",
            hovertemplate="%{x}, %{y}<br>%{text} right on time<extra></extra>",
        )
    )
    styled(figure, 110 + 46 * len(chosen.lines), legend=False)
    figure.update_xaxes(title_text=words.title(chosen.path), type="category", showgrid=False, ticks="")
    figure.update_yaxes(type="category", showgrid=False)
    return figure


def latency(rows: list[PointRow], deadline_us: int) -> go.Figure:
    """A bar a point from the median latency to the 99th percentile, the 95th and the deadline marked.

    `deadline_us` is that of points which do not sweep it.
    """
    shown = [row for row in thinned(rows) if row["latency_ms"]["p50"] is not None]
    names = [words.labels(row["sweep"]) for row in shown]
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[(row["latency_ms"]["p99"] or 0) - (row["latency_ms"]["p50"] or 0) for row in shown],
        base=[row["latency_ms"]["p50"] for row in shown],
        orientation="h",
        width=0.16,
        marker={"color": "#bcd3e2"},
        showlegend=False,
        hoverinfo="skip",
    )
    for key, (name, colour) in LATENCIES.items():
        figure.add_scatter(
            x=[row["latency_ms"][key] for row in shown],
            error_x=intervals.bars(shown, f"latency_ms_{key}"),
            y=names,
            name=f"{name} answered within",
            mode="markers",
            marker={"color": colour, "size": 10, "line": {"color": "white", "width": 1}},
            hovertemplate="%{y}<br>" + name + " within %{x:.0f} ms<extra></extra>",
        )
    styled(figure, height(len(shown)))
    figure.add_scatter(
        x=[deadline_of(row, deadline_us) / 1000 for row in shown],
        y=names,
        name="deadline",
        mode="markers",
        marker={"symbol": "line-ns", "size": 18, "line": {"color": KINDS[1], "width": 2.5}},
        hovertemplate="%{y}<br>deadline %{x:.0f} ms<extra></extra>",
    )
    figure.update_xaxes(title_text="ms from capture to answer", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure.update_layout(margin_t=72)


def fates(rows: list[PointRow]) -> go.Figure:
    """What became of every offered frame, a stacked bar a point; the parts add up to all.

    Only what was right on time, the first part, has its interval drawn: the ends of others depend on those
    before them.
    """
    shown = thinned(rows)
    names = [words.labels(row["sweep"]) for row in shown]
    parts = [_fates_of(row) for row in shown]
    figure = go.Figure()
    for fate, colour in FATES.items():
        counts = [part.get(fate, 0) for part in parts]
        if not any(counts):
            continue
        figure.add_bar(
            y=names,
            x=[n / max(row["frames_offered"], 1) for n, row in zip(counts, shown, strict=True)],
            customdata=[words.number(n) for n in counts],
            name=f"dropped: {fate}" if any(fate in row["frames_dropped"] for row in shown) else fate,
            orientation="h",
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{y}<br>%{x:.1%} (%{customdata} frames)<extra>%{fullData.name}</extra>",
        )
    if (whiskers := intervals.bars(shown, "accuracy_on_time")) is not None:  # over the bars, not below them
        figure.add_scatter(
            x=[row["accuracy_on_time"] for row in shown],
            y=names,
            error_x={**whiskers, "color": INK, "thickness": 2, "width": 7},
            mode="markers",
            marker={"size": 1, "color": INK},
            showlegend=False,
            hoverinfo="skip",
        )
    styled(figure, height(len(shown)))
    figure.update_xaxes(
        title_text="share of offered frames",
        tickformat=".0%",
        range=[0, 1],
        dtick=0.25,
        ticklabeloverflow="allow",
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure.update_layout(barmode="stack", bargap=0.35, margin_t=72, margin_r=26)


def deadline_of(row: PointRow, otherwise_us: int) -> float:
    """The deadline at a point in microseconds."""
    swept = row["sweep"].get("serving.deadline_us")
    return swept if isinstance(swept, int | float) else otherwise_us


def thinned(rows: list[PointRow]) -> list[PointRow]:
    """All rows, or so many evenly spaced ones as a figure can show."""
    if len(rows) <= MOST_ROWS:
        return rows
    return [rows[round(i * (len(rows) - 1) / (MOST_ROWS - 1))] for i in range(MOST_ROWS)]


def _on_time_of(row: PointRow | None) -> float | None:
    return None if row is None else row["accuracy_on_time"]


def _share_of(row: PointRow | None) -> str:
    return "" if row is None else intervals.percent(row, "accuracy_on_time")


def _fates_of(row: PointRow) -> dict[str, int]:
    right = round((row["accuracy"] or 0) * row["frames_answered"])
    on_time = min(right, round((row["accuracy_on_time"] or 0) * row["frames_offered"]))
    return {
        "right on time": on_time,
        "right but late": right - on_time,
        "wrong": row["frames_answered"] - right,
        **row["frames_dropped"],
        "in flight": row["frames_in_flight"],
    }


def _curve_name(head: str, encoder: EncoderRow, encoders: list[EncoderRow]) -> str:
    """The head, with what tells the version from others where there are some."""
    if len(encoders) == 1:
        return head
    alike = [other for other in encoders if other["recipe"] == encoder["recipe"]]
    return f"{head}, {encoder['recipe']}" + (f" {encoder['id'][:6]}" if len(alike) > 1 else "")


def _positions(chosen: Axes, line: list[PointRow]) -> list[str | int | float | None]:
    if chosen.numeric:
        return [chosen.x(row) for row in line]
    return [words.value(chosen.path, chosen.x(row)) for row in line]


def _axis(chosen: Axes) -> dict[str, object]:
    values = [value for value in chosen.values() if isinstance(value, int | float)]
    if not chosen.numeric:
        return {"type": "category"}
    return ticks(values, [words.value(chosen.path, value) for value in values])


def _rate_ticks(bits: list[float]) -> dict[str, object]:
    """Round numbers of bits per pixel, on a logarithmic axis if no level is free of bits."""
    if not bits or min(bits) <= 0:
        return {"rangemode": "tozero"}
    near = [m * 10.0**e for e in range(-4, 3) for m in (1, 2, 5)]
    shown = [tick for tick in near if min(bits) / 2 <= tick <= max(bits) * 2]
    return {"type": "log", "tickvals": shown, "ticktext": [f"{tick:g}" for tick in shown]}


def height(rows: int) -> int:
    """Pixels for so many rows of bars."""
    return 150 + 26 * rows
