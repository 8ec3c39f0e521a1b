"""The scenario that a newcomer runs first, as it is shipped, shows what it says it shows."""

import io
import json
from itertools import pairwise
from pathlib import Path

from rich.console import Console

from fleet_sim.report.view import View
from fleet_sim.run import run
from fleet_sim.scenario import load_scenario

BANDLIMITED = Path(__file__).parents[1] / "scenarios" / "bandlimited.yaml"
NOISE = 0.002  # cameras see different scenes


def test_accuracy_on_time_falls_with_the_budget_and_with_more_cameras(tmp_path: Path) -> None:
    scenario = load_scenario(BANDLIMITED, ["cluster.backend=local"])
    folder = run(scenario, tmp_path, View(Console(file=io.StringIO())))
    points = json.loads((folder / "summary.json").read_text())["points"]
    on_time = {(p["budget_bps"], p["cameras"]): p["accuracy_on_time"] for p in points}
    budgets, cameras = (sorted(values) for values in map(set, zip(*on_time, strict=True)))
    assert len(budgets) >= 4
    assert len(cameras) >= 3
    for narrow, wide in pairwise(budgets):
        assert all(on_time[narrow, n] <= on_time[wide, n] + NOISE for n in cameras)
    for few, many in pairwise(cameras):
        assert all(on_time[bps, few] >= on_time[bps, many] - NOISE for bps in budgets)
    assert on_time[budgets[-1], cameras[0]] > on_time[budgets[0], cameras[-1]] + 0.2
    (best,) = (p for p in points if (p["budget_bps"], p["cameras"]) == (budgets[-1], cameras[0]))
    assert best["accuracy"] >= 0.95
    assert all(p["cell_wire_bps_max"] <= p["budget_bps"] for p in points)
