"""What servers noticed without labels: coded bits beyond what was expected, escapes, alarms."""

from typing import Any, TypedDict

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fleet_sim.engine.counts import Counts
from fleet_sim.report import words
from fleet_sim.report.style import FAINT, KINDS, styled
from fleet_sim.scenario import Scenario
from fleet_sim.serving.alarm import CHARTS, first_alarms
from fleet_sim.serving.alarm_spec import BitsAlarmSpec
from fleet_sim.serving.watched import ESCAPED, EXCESS_CENTIBITS, FRAMES, RIGHT

Alarms = dict[str, dict[str, float | None]]
"""When each group's charts alarmed, in virtual seconds; over seeds the mean of those in which it did."""
BySeed = dict[str, list[float | None]]
EVERYONE = "all cameras"
NAMES = {"more_bits": "more bits", "fewer_bits": "fewer bits", "escapes": "more escapes"}


class WatchedRow(TypedDict):
    """A window of a group's answered frames; means are None where there were none."""

    point: int
    group: str
    until_s: float
    frames: int
    excess_bits: float | None
    escaped: float | None
    right: float | None


def alarm_times_s(scenario: Scenario, counts: Counts) -> Alarms:
    """When each group's charts alarmed, in virtual seconds; empty where nothing is watched."""
    spec = scenario.serving.alarm
    if not isinstance(spec, BitsAlarmSpec):
        return {}
    return {
        name: {
            chart: None if window is None else _end_s(window, spec, scenario)
            for chart, window in first_alarms(watched_WQ, spec).items()
        }
        for name, watched_WQ in zip(_groups(scenario), counts.watched_GWQ, strict=True)
    }


def watched_rows(point: int, scenario: Scenario, counts: Counts) -> list[WatchedRow]:
    """A row a group and window; empty where nothing is watched."""
    spec = scenario.serving.alarm
    if not isinstance(spec, BitsAlarmSpec):
        return []
    return [
        {
            "point": point,
            "group": name,
            "until_s": _end_s(window, spec, scenario),
            "frames": frames,
            "excess_bits": round(row_Q[EXCESS_CENTIBITS] / 100 / frames, 4) if frames else None,
            "escaped": round(row_Q[ESCAPED] / frames, 6) if frames else None,
            "right": round(row_Q[RIGHT] / frames, 6) if frames else None,
        }
        for name, watched_WQ in zip(_groups(scenario), counts.watched_GWQ, strict=True)
        for window, row_Q in enumerate(watched_WQ.tolist())
        for frames in [row_Q[FRAMES]]
    ]


def alarm_words(alarms: Alarms, by_seed: BySeed) -> list[str]:
    """A line for each group that alarmed at a point, with its first alarm; `by_seed`: the point's figures."""
    lines = []
    for group, times_s in alarms.items():
        sounded = [(at_s, chart) for chart, at_s in times_s.items() if at_s is not None]
        if sounded:
            at_s, chart = min(sounded)
            by_seed_s = by_seed[f"alarm_s_{group}_{chart}"]
            heard = sum(alarm_s is not None for alarm_s in by_seed_s)
            seeds = f", mean of {heard} of {len(by_seed_s)} seeds" if len(by_seed_s) > 1 else ""
            lines.append(f"alarm: {group}, {NAMES[chart]} than before, at {words.moment(1e6 * at_s)}{seeds}")
    return lines


def of_first_seed(alarms: Alarms, by_seed: BySeed) -> Alarms:
    """The alarms of a point with its first seed."""
    return {
        group: {chart: by_seed[f"alarm_s_{group}_{chart}"][0] for chart in times_s}
        for group, times_s in alarms.items()
    }


def watched_figure(rows: list[WatchedRow], alarms: Alarms) -> go.Figure:
    """Excess bits and the share of right answers over time, a colour a group, alarms marked."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for place, name in enumerate(dict.fromkeys(row["group"] for row in rows)):
        own: list[Any] = [row for row in rows if row["group"] == name]
        colour = KINDS[place % len(KINDS)]
        for panel, value, unit in ((1, "excess_bits", ":.2f} bits"), (2, "right", ":.1%} right")):
            figure.add_scatter(
                x=[row["until_s"] for row in own],
                y=[row[value] for row in own],
                name=name,
                legendgroup=name,
                showlegend=panel == 1,
                mode="lines",
                line={"color": colour, "width": 2},
                hovertemplate=f"{name}<br>%{{x:g}} s: %{{y{unit}<extra></extra>",
                row=panel,
                col=1,
            )
        for chart in CHARTS:
            if (at_s := alarms.get(name, {}).get(chart)) is not None:
                figure.add_vline(x=at_s, line={"color": colour, "width": 1, "dash": "dot"}, row="all", col=1)
                figure.add_annotation(
                    x=at_s, y=1, yref="paper", yanchor="bottom", text=f"{name}: {NAMES[chart]}",
                    showarrow=False, font={"color": FAINT, "size": 11},
                )  # fmt: skip
                break
    styled(figure, 440)
    figure.update_yaxes(title_text="bits beyond expected", row=1)
    figure.update_yaxes(title_text="right of answered", tickformat=".0%", row=2)
    figure.update_xaxes(title_text="virtual time in seconds", row=2)
    return figure.update_layout(margin_t=72)


def _groups(scenario: Scenario) -> list[str]:
    return [group.name for group in scenario.fleet.groups] or [EVERYONE]


def _end_s(window: int, spec: BitsAlarmSpec, scenario: Scenario) -> float:
    return min((window + 1) * spec.window_us, scenario.duration_us) / 1e6
