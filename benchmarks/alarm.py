"""The alarm without labels: how often it sounds for nothing, and how soon for each change.

`python -m benchmarks.alarm`: the fleet of scenarios/drift.yaml, its version trained once before, on half its
budget. First groups that do not change, many seeds, an alarm set to one false alarm in 500 windows; then,
with the default of once in 10,000, every look at every severity.
"""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from fleet_sim.basics.machine import machine
from fleet_sim.report.results import PointRow, Summary, read_results
from fleet_sim.report.view import View
from fleet_sim.run import run, train
from fleet_sim.scenario import load_scenario
from fleet_sim.serving.alarm import CHARTS

SCENARIO = Path(__file__).parents[1] / "scenarios" / "drift.yaml"
LOOKS = ("fog", "blur", "noise", "night")
SEVERITIES = range(1, 6)
WINDOW_S = 5
QUIET = {"seeds": 100, "windows": 120, "asked": 500}
CHANGE_S, AFTER_WINDOWS, SEEDS = 60, 40, 20
TIGHT = "link.budget_bps=4 kbit/s"


def quiet() -> View:
    return View(Console(file=io.StringIO()))


def simulated(models: Path, out: Path, seeds: int, duration_s: int, asked: int, groups: Any) -> Summary:
    settings = [
        f"train.use={models}",
        "cluster.backend=local",
        "audit=0",
        TIGHT,
        f"duration_us={duration_s} s",
        f"sweep={{seeds: {seeds}}}",
        f"fleet.groups={json.dumps(groups)}",
        f"serving.alarm={{kind: bits, window_us: {WINDOW_S} s, false_alarm_windows: {asked}}}",
    ]
    return read_results(run(load_scenario(SCENARIO, settings), out, quiet())).summary


def first_alarms_s(row: PointRow, group: str) -> list[float | None]:
    """Of each seed, when the first of the group's charts sounded."""
    of_charts = [row["by_seed"][f"alarm_s_{group}_{chart}"] for chart in CHARTS]
    return [
        min((at_s for at_s in times_s if at_s is not None), default=None)
        for times_s in zip(*of_charts, strict=True)
    ]


def false_alarms(models: Path, out: Path) -> dict[str, Any]:
    groups = [{"name": name, "share": 0.25} for name in LOOKS]
    duration_s = QUIET["windows"] * WINDOW_S
    summary = simulated(models, out, QUIET["seeds"], duration_s, QUIET["asked"], groups)
    times_s = [at_s for name in LOOKS for at_s in first_alarms_s(summary["points"][0], name)]
    alarms = sum(at_s is not None for at_s in times_s)
    windows = sum(duration_s if at_s is None else at_s for at_s in times_s) / WINDOW_S
    return {
        "asked_every_windows": QUIET["asked"],
        "every_windows": round(windows / alarms, 1) if alarms else None,
        "alarms": alarms,
        "windows": round(windows),
        "level_mean": summary["points"][0]["level_mean"],
    }


def changes(models: Path, out: Path, severity: int) -> list[dict[str, Any]]:
    groups = [
        {
            "name": look,
            "share": 0.25,
            "sees": [{}, {"from_us": CHANGE_S * 1_000_000, "look": look, "severity": severity}],
        }
        for look in LOOKS
    ]
    duration_s = CHANGE_S + AFTER_WINDOWS * WINDOW_S
    summary = simulated(models, out, SEEDS, duration_s, 10_000, groups)
    rows = []
    for look in LOOKS:
        times_s = first_alarms_s(summary["points"][0], look)
        delays = [(at_s - CHANGE_S) / WINDOW_S for at_s in times_s if at_s is not None and at_s > CHANGE_S]
        own = [row for row in summary["watched"] if row["group"] == look]
        before, after = (
            float(np.mean([row["right"] for row in own if (row["until_s"] <= CHANGE_S) == early]))
            for early in (True, False)
        )
        rows.append(
            {
                "look": look,
                "severity": severity,
                "right_before": round(before, 4),
                "right_after": round(after, 4),
                "found": len(delays) / SEEDS,
                "median_windows": float(np.median(delays)) if delays else None,
            }
        )
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        models = train(load_scenario(SCENARIO, ["cluster.backend=local"]), out / "trained", quiet())
        quiet_groups = false_alarms(models, out)
        rows = [row for severity in SEVERITIES for row in changes(models, out, severity)]
    frames = round(600 * 0.25 * WINDOW_S)
    whole = {"false": quiet_groups, "rows": rows, "frames_a_window": frames, "n": SEEDS}
    print(json.dumps({**whole, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
