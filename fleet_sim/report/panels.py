"""The Grafana dashboard: which figures, by which PromQL, and how to read them."""

Json = dict[str, object]

DATASOURCE_UID = "fleet-sim-prometheus"
_DATASOURCE = {"type": "prometheus", "uid": DATASOURCE_UID}
_RUN = 'profile=~"$profile",WorkerId=~"$run"'


def total(name: str, by: str = "", **labels: str) -> str:
    """PromQL: the total of counter `name` so far, with `labels` matched as regular expressions."""
    wanted = "".join(f',{key}=~"{value}"' for key, value in labels.items())
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (ray_fleet_sim_{name}_total{{{_RUN}{wanted}}})"


def latency_ms(share: float) -> str:
    """PromQL: the quantile of latency over the last seconds of wall time, in milliseconds."""
    buckets = f"ray_fleet_sim_latency_ms_bucket_total{{{_RUN}}}[$__rate_interval]"
    return f"histogram_quantile({share}, sum by (le) (rate({buckets})))"


def gauge(name: str) -> str:
    """PromQL: gauge `name` now."""
    return f"max(ray_fleet_sim_{name}{{{_RUN}}})"


# title, how to read it, unit, stacked, {legend: PromQL}
PANELS: tuple[tuple[str, str, str, bool, dict[str, str]], ...] = (
    (
        "Frames by outcome",
        "Frames that have ended so far, stacked. The gap to `offered` is in flight.",
        "short",
        True,
        {"{{outcome}}": total("frames", by="outcome")},
    ),
    (
        "On time and right",
        "Share of offered frames answered right within the deadline, and of answered frames answered right.",
        "percentunit",
        False,
        {
            "right and on time / offered": (
                f"{total('frames', outcome='right_on_time')} / {total('frames_offered')}"
            ),
            "right / answered": (
                f"{total('frames', outcome='right_.*')} / {total('frames', outcome='right_.*|wrong')}"
            ),
        },
    ),
    (
        "Wire bits against budget",
        "Mean load of a cell's uplink in this sweep point, and what it can carry. Virtual time.",
        "bps",
        False,
        {"served": f"{gauge('link_utilisation')} * {gauge('budget_bps')}", "budget": gauge("budget_bps")},
    ),
    (
        "Bits of a frame",
        "Mean bits of a sent frame since the run began: the message alone, and with all headers.",
        "short",
        False,
        {
            "payload": f"{total('payload_bits')} / {total('frames_sent')}",
            "wire": f"{total('wire_bits')} / {total('frames_sent')}",
        },
    ),
    (
        "Mean level",
        "Which step of the ladder frames are sent at: in this sweep point, and since the run began.",
        "short",
        False,
        {"this point": gauge("level_mean"), "whole run": f"{total('level_sum')} / {total('frames_sent')}"},
    ),
    (
        "Latency",
        "Capture to answer, of what was answered in the last seconds of wall time. Interpolated inside an "
        "octave; summary.json is finer.",
        "ms",
        False,
        {f"p{share * 100:.0f}": latency_ms(share) for share in (0.5, 0.95, 0.99)},
    ),
    (
        "Drops by reason",
        "Frames lost a second of wall time, stacked.",
        "short",
        True,
        {
            "{{outcome}}": (
                "sum by (outcome) (rate(ray_fleet_sim_frames_total"
                f'{{{_RUN},outcome=~"dropped_.*"}}[$__rate_interval]))'
            )
        },
    ),
    (
        "Pace",
        "Virtual seconds reached in this sweep point, and wall time of an epoch (p95).",
        "short",
        False,
        {
            "virtual seconds": gauge("virtual_seconds"),
            "epoch wall ms": (
                "histogram_quantile(0.95, sum by (le) "
                f"(rate(ray_fleet_sim_epoch_wall_ms_bucket{{{_RUN}}}[$__rate_interval])))"
            ),
        },
    ),
)


def grafana_dashboard() -> Json:
    """The dashboard in Grafana's JSON model: two panels a row."""
    return {
        "uid": "fleet-sim",
        "title": "fleet-sim",
        "tags": ["fleet-sim"],
        "schemaVersion": 39,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "templating": {"list": [_variable("profile", "link profile"), _variable("run", "run", "WorkerId")]},
        "panels": [_panel(place, *panel) for place, panel in enumerate(PANELS)],
    }


def _variable(name: str, label: str, key: str = "") -> Json:
    query = f"label_values(ray_fleet_sim_frames_total, {key or name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(place: int, title: str, text: str, unit: str, stacked: bool, queries: dict[str, str]) -> Json:
    targets = [
        {"refId": chr(ord("A") + i), "datasource": _DATASOURCE, "expr": expr, "legendFormat": legend}
        for i, (legend, expr) in enumerate(queries.items())
    ]
    custom = {"fillOpacity": 60 if stacked else 0, "stacking": {"mode": "normal" if stacked else "none"}}
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": title,
        "description": text,
        "datasource": _DATASOURCE,
        "gridPos": {"x": 12 * (place % 2), "y": 8 * (place // 2), "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }
