"""One million cameras for an hour, and how time and memory grow with the number of cameras.

`python -m benchmarks.scale`: the hour, in this process on two shards and two servers, each member a thread.
`python -m benchmarks.scale --growth`: fleets of 1,000 to 1,000,000 cameras, each for as long as it takes them
to capture sixty million frames, five hours at most, and in processes of its own. The line a + b n is fitted,
with the least greatest relative error, to seconds of processor time for a virtual second and to bytes of peak
memory. Processor time, since neighbours on the machine change it little.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
from scipy.optimize import linprog

from benchmarks.fleets import GILBERT_ELLIOTT, crew_on, run, scenario_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.pace import pace_of
from fleet_sim.engine import counts as c
from fleet_sim.engine.digest import digest
from fleet_sim.scenario import Scenario

FEATURES = [
    "periodic capture, one frame a second",
    "budget controller, 8 levels",
    "shared cells of 100, max-min",
    "finite buffers",
    "Gilbert-Elliott loss",
    "2 retries",
    "IPv4 and UDP headers",
    "deadline",
    "2 batching servers",
    "answers",
]
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
GROWTH_FRAMES = 60_000_000
GROWTH_MOST_S = 18_000  # what is counted by second then stays small beside the rest


def point_of(cameras: int, virtual_s: int) -> Scenario:
    """Cells of a hundred cameras, whose budget is a little less than what they would like to send."""
    return scenario_of(
        duration_us=virtual_s * 1_000_000,
        fleet={"cameras": cameras, "cells": cameras // 100, "frame_period_us": 1_000_000},
        link={
            "budget_bps": 60_000,
            "buffer_bytes": 600,
            "header_bytes": 28,
            "loss": GILBERT_ELLIOTT,
            "retries": 2,
        },
        serving={"servers": 2, "batch": 1024, "batch_us": 500, "frame_us": 1},
        cluster={"backend": "local", "shards": 2},
    )


def measured(cameras: int, virtual_s: int) -> dict[str, Any]:
    """One run in this process, after a short one of few cameras that compiles."""
    host = LocalHost()
    few = point_of(1000, 2)
    run(crew_on(host, few), few)
    small_bytes = _peak_bytes()
    point = point_of(cameras, virtual_s)
    crew = crew_on(host, point)
    began, worked = time.perf_counter(), time.process_time()
    counts = run(crew, point)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - worked
    host.close()
    total_C = counts.total_C
    return {
        "cameras": cameras,
        "virtual_s": virtual_s,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 3),
        "peak_rss_gb": round(_peak_bytes() / 1e9, 3),
        "peak_rss_of_a_small_fleet_gb": round(small_bytes / 1e9, 3),
        "frames_offered": int(total_C[c.OFFERED]),
        "frames_answered": int(total_C[c.ANSWERED]),
        "frames_dropped": int(total_C[c.DROPPED_BUFFER :].sum()),
        "frames_in_flight": counts.in_flight,
        "virtual_s_a_wall_s": round(virtual_s / wall_s, 1),
        "epoch_us": pace_of(point).epoch_us,
        "digest": digest({}, [counts]),
    }


def line(cameras_P: np.ndarray, cost_P: np.ndarray) -> dict[str, Any]:
    """The line a + b n whose greatest relative error is least, and how far each point lies from it."""
    ones = np.ones(len(cameras_P))
    units_2 = cost_P.mean() / np.array([1, cameras_P.mean()])  # so that the solver sees numbers near one
    design_P2 = np.stack([ones, cameras_P], axis=1) * units_2 / cost_P[:, None]
    # Minimise t subject to |a + b n - cost| <= t cost.
    bounds = np.concatenate([np.column_stack([design_P2, -ones]), np.column_stack([-design_P2, -ones])])
    limits = np.concatenate([ones, -ones])
    share_2 = linprog([0, 0, 1], A_ub=bounds, b_ub=limits, bounds=[(None, None)] * 3).x[:2]
    (a, b), error_P = share_2 * units_2, design_P2 @ share_2 - 1
    return {"a": float(a), "b": float(b), "errors": [round(float(error), 4) for error in error_P]}


def growth(repeats: int) -> dict[str, Any]:
    """Runs of every size, each figure the least of `repeats`, and the lines fitted to them.

    A virtual second costs what a whole run takes more than one of a quarter of its time: setting up and
    closing are in both.
    """
    rows = []
    for cameras in SIZES:
        whole_s = min(GROWTH_FRAMES // cameras, GROWTH_MOST_S)
        part_s = whole_s // 4
        whole, part = ([_alone(cameras, s) for _ in range(repeats)] for s in (whole_s, part_s))
        cpu_s = min(run["cpu_s"] for run in whole) - min(run["cpu_s"] for run in part)
        rows.append(
            {
                "cameras": cameras,
                "virtual_s": whole_s,
                "cpu_s_a_virtual_s": cpu_s / (whole_s - part_s),
                "peak_rss_gb": min(run["peak_rss_gb"] for run in whole),
            }
        )
    cameras_P = np.array([row["cameras"] for row in rows])
    return {
        "rows": rows,
        "cpu_s_a_virtual_s": line(cameras_P, np.array([row["cpu_s_a_virtual_s"] for row in rows])),
        "peak_rss_bytes": line(cameras_P, 1e9 * np.array([row["peak_rss_gb"] for row in rows])),
        "frames": GROWTH_FRAMES,
        "n": repeats,
    }


def _alone(cameras: int, virtual_s: int) -> dict[str, Any]:
    """A run in a process of its own."""
    again = [sys.executable, "-m", "benchmarks.scale", f"--cameras={cameras}", f"--virtual-s={virtual_s}"]
    told: dict[str, Any] = json.loads(
        subprocess.run(again, check=True, capture_output=True, text=True).stdout
    )
    return told


def _peak_bytes() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--growth", action="store_true")
    arguments.add_argument("--cameras", type=int, default=1_000_000)
    arguments.add_argument("--virtual-s", type=int, default=3600)
    arguments.add_argument("--repeats", type=int, default=3, help="of each size, with --growth")
    told = arguments.parse_args()
    if told.growth:
        figures = {"benchmark": "growth", **growth(told.repeats)}
    else:
        figures = {"benchmark": "scale", **measured(told.cameras, told.virtual_s), "n": 1}
    print(json.dumps({**figures, "features": FEATURES, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
