"""What Ray costs: the same two shards and two servers as Ray actors and as threads of this process.

`python -m benchmarks.ray_overhead`. Runs alternate, so that what else the machine does meets both alike;
`overhead` is the median over rounds of (wall time on Ray / wall time in process) - 1. Members are set up and
their code compiled before the clock starts; starting Ray is told apart.
"""

import argparse
import json
import statistics
import time

from benchmarks.fleets import GILBERT_ELLIOTT, crew_on, run, scenario_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.pace import pace_of
from fleet_sim.cluster.ray_host import RayHost
from fleet_sim.engine.digest import digest

FEATURES = [
    "periodic capture",
    "budget controller, 8 levels",
    "shared cells of 100, max-min",
    "finite buffer",
    "Gilbert-Elliott loss",
    "2 retries",
    "deadline",
    "batching servers",
    "answers",
]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--cameras", type=int, default=200_000)
    arguments.add_argument("--virtual-s", type=int, default=600)
    arguments.add_argument("--rounds", type=int, default=3)
    told = arguments.parse_args()
    point = scenario_of(
        duration_us=told.virtual_s * 1_000_000,
        fleet={"cameras": told.cameras, "cells": told.cameras // 100, "frame_period_us": 1_000_000},
        link={
            "budget_bps": 60_000,
            "buffer_bytes": 600,
            "header_bytes": 28,
            "loss": GILBERT_ELLIOTT,
            "retries": 2,
        },
        serving={"servers": 2, "batch": 512, "batch_us": 500, "frame_us": 1},
        cluster={"backend": "local", "shards": 2},
    )
    warm = point.model_copy(update={"duration_us": 2_000_000})
    began = time.perf_counter()
    on_ray = RayHost(None, "ray-overhead")
    hosts: dict[str, LocalHost | RayHost] = {"in_process": LocalHost(), "on_ray": on_ray}
    crews = {name: crew_on(host, point) for name, host in hosts.items()}
    for crew in crews.values():
        run(crew, warm)
    started_s = time.perf_counter() - began
    wall_s: dict[str, list[float]] = {name: [] for name in hosts}
    digests = set()
    for _ in range(told.rounds):
        for name, crew in crews.items():
            began = time.perf_counter()
            counts = run(crew, point)
            wall_s[name].append(time.perf_counter() - began)
            digests.add(digest({}, [counts]))
    for host in hosts.values():
        host.close()
    ratios = [ray / here for ray, here in zip(wall_s["on_ray"], wall_s["in_process"], strict=True)]
    print(
        json.dumps(
            {
                "benchmark": "ray_overhead",
                "overhead": round(statistics.median(ratios) - 1, 4),
                "overhead_of_each_round": [round(ratio - 1, 4) for ratio in ratios],
                "wall_s": {name: [round(s, 2) for s in walls] for name, walls in wall_s.items()},
                "started_and_compiled_s": round(started_s, 1),
                "same_digest": len(digests) == 1,
                "n": told.rounds,
                "frames": told.cameras * told.virtual_s,
                "shards": point.cluster.shards,
                "epoch_us": pace_of(point).epoch_us,
                "snapshot_every": pace_of(point).snapshot_every,
                "features": FEATURES,
                "machine": machine("cpu"),
            }
        )
    )


if __name__ == "__main__":
    main()
