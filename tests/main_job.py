"""A small main job: what tests of whole runs share."""

import io
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from fleet_sim.report.view import View
from fleet_sim.scenario import Scenario, load_scenario

BANDLIMITED = Path(__file__).parents[1] / "scenarios" / "bandlimited.yaml"
SMALL = (
    "duration_us=6 s",
    "audit=0.02",
    "codec.width=4",
    "codec.neurons=16",
    "codec.ladder=[2,6,16]",
    "train.e2e.epochs=2",
    "train.duphil.epochs=1",
    "train.head_training.epochs=2",
    "fleet.cells=4",
    "sweep.fleet.cameras=[80,160]",
    "sweep.link.budget_bps=[2500,6000]",
    "cluster.backend=local",
)


def small(*overrides: str) -> Scenario:
    return load_scenario(BANDLIMITED, [*SMALL, *overrides])


def quiet() -> View:
    return View(Console(file=io.StringIO()))


def results(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return summary


class Stopping(View):
    """Ctrl-C as a stage begins."""

    def __init__(self, title: str) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._title = title

    def stage(self, title: str) -> None:
        if title == self._title:
            raise KeyboardInterrupt
