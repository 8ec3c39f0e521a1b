"""Several releases in a run on Ray whose driver is killed in the middle of the second."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from main_job import BANDLIMITED, SMALL, quiet, results
from rich.console import Console

from fleet_sim.report.progress import scenario_of
from fleet_sim.report.view import View
from fleet_sim.run import run, train
from fleet_sim.scenario import Scenario, load_scenario

FRESH = "{at_us: 1500 ms, head: {name: fresh, kind: svm}, labelled: 0.5, delay_us: 0}"
SEVERAL = (
    *(override for override in SMALL if not override.startswith("sweep")),
    "sweep={}",
    "duration_us=24 s",
    "train.recipe=e2e",
    "train.weight_bits=8",
    "train.updates=[{at_us: 2 s}, {at_us: 5 s}]",
    f"train.retrain=[{FRESH}]",
    "serving.switches=[{at_us: 15 s, head: svm}]",
    "fleet.cameras=80",
    "link.downlink_bps=800 kbit/s",
    "rollout={waves: [0.3, 1], wave_us: 2 s}",
    "rollout.air={install_failure: 0.1, most_failed: 1, install_us: 500 ms}",
)
DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_updates_resumed import Killing, several
from fleet_sim.run import run
run(several("cluster.backend=ray", *sys.argv[4:]), Path(sys.argv[2]), Killing(int(sys.argv[3])))
"""


def several(*overrides: str) -> Scenario:
    return load_scenario(BANDLIMITED, [*SEVERAL, *overrides])


class Killing(View):
    """Kills the process that the run is in when the simulation comes to a virtual time."""

    def __init__(self, at_us: int) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._at_us = at_us

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        if virtual_us >= self._at_us:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.timeout(600)
def test_a_driver_killed_in_the_middle_of_the_second_release_is_resumed_to_the_undisturbed_digest(
    tmp_path: Path,
) -> None:
    use = f"train.use={train(several(), tmp_path / 'trained', quiet())}"
    undisturbed = results(run(several(use), tmp_path / "whole", quiet()))
    cluster = ("cluster.shards=1", "cluster.epoch_us=700 ms")
    assert (
        results(run(several(use, *cluster), tmp_path / "alone", quiet()))["digest"] == undisturbed["digest"]
    )
    encoders = [release for release in undisturbed["releases"] if release["release"].startswith("encoder")]
    second = encoders[1]
    assert [release["end"] for release in encoders] == ["through", "through"]
    first = undisturbed["versions"]["encoders"][0]["id"]
    assert [row["encoder"] for row in undisturbed["retrained"]] == [first]

    out, middle_s = tmp_path / "killed", (second["begun_s"] + second["ended_s"]) / 2
    told = [str(Path(__file__).parent), str(out), str(round(middle_s * 1e6)), use, "cluster.epoch_us=500 ms"]
    assert subprocess.run([sys.executable, "-c", DRIVER, *told]).returncode == -signal.SIGKILL
    (folder,) = out.iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    resumed = results(folder)
    assert resumed["complete"] is True
    assert resumed["digest"] == undisturbed["digest"]
    assert resumed["releases"] == undisturbed["releases"]
    assert resumed["retrained"] == undisturbed["retrained"]
