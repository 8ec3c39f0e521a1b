"""Frames a second on one core: dedicated links, shared cells, and the whole way to the answer; and against SimPy.

`python -m benchmarks.engine`. Rates are frames offered for each second that the processor worked for this
process, which neighbours on the machine change little; seconds on the wall clock stand beside them. Each rate
is the median of several runs, after one that compiles. Needs the extra `bench` (SimPy).
"""

import json
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import simpy

from benchmarks.fleets import GILBERT_ELLIOTT, bank, crew_on, run, scenario_of, setup_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.engine import counts as c
from fleet_sim.engine.fleet import Fleet
from fleet_sim.scenario import Scenario

RUNS = 5
FEATURES = [
    "periodic capture",
    "budget controller, 8 levels",
    "finite buffer",
    "Gilbert-Elliott loss",
    "2 retries",
    "IPv4 and UDP headers",
    "deadline",
    "counts by second",
]
LINK = {"loss": GILBERT_ELLIOTT, "retries": 2, "buffer_bytes": 600, "header_bytes": 28}


def main() -> None:
    dedicated = {"sharing": "dedicated", "budget_bps": 2000}
    frames = {"cameras": 200_000, "frame_period_us": 1_000_000}
    alone = scenario_of(fleet=frames, link=LINK | dedicated, duration_us=20_000_000, cluster=ONE)
    cells = scenario_of(
        fleet=frames | {"cells": 2000},
        link=LINK | {"sharing": "max_min", "budget_bps": 60_000},
        duration_us=20_000_000,
        cluster=ONE,
    )
    one_queue = scenario_of(
        fleet={"cameras": 1, "cells": 1, "frame_period_us": 200_000, "capture": {"kind": "poisson"}},
        link={"budget_bps": 2000, "header_bytes": 28, "queue": "tail", "buffer_bytes": 1500},
        control={"controller": "fixed", "level": 3},
        duration_us=20_000 * 1_000_000,
        cluster=ONE,
    )
    figures = {
        "link": _rate(partial(_cameras_only, alone)),
        "cell": _rate(partial(_cameras_only, cells)),
        "full": _rate(partial(_to_the_answer, alone)),
    }
    ours, theirs = _rate(partial(_cameras_only, one_queue)), _rate(partial(_in_simpy, one_queue), runs=1)
    print(
        json.dumps(
            {
                "benchmark": "engine",
                **{f"{name}_frames_per_s_per_core": round(cpu) for name, (cpu, _) in figures.items()},
                **{f"{name}_frames_per_wall_s": round(wall) for name, (_, wall) in figures.items()},
                "bytes_per_camera": _bytes_per_camera(alone),
                "vs_simpy": round(ours[0] / theirs[0]),
                "one_queue_frames_per_s": {"fleet_sim": round(ours[0]), "simpy": round(theirs[0])},
                "n": RUNS,
                "features": FEATURES,
                "full_adds": ["batching server", "answers"],
                "one_queue_features": ["Poisson capture", "finite buffer", "headers", "counts"],
                "machine": machine("cpu"),
            }
        )
    )


ONE = {"backend": "local", "shards": 1}


def _rate(work: Callable[[], int], runs: int = RUNS) -> tuple[float, float]:
    """Medians of frames a second, by processor and by wall clock."""
    work()
    rates = []
    for _ in range(runs):
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        frames = work()
        rates.append((frames / (time.process_time() - cpu_s), frames / (time.perf_counter() - wall_s)))
    cpu, wall = np.median(rates, axis=0)
    return float(cpu), float(wall)


def _shard(point: Scenario) -> CameraShard:
    shard = CameraShard(0, 1)
    shard.add_version(*bank())
    shard.begin(setup_of(point))
    return shard


def _cameras_only(point: Scenario) -> int:
    shard, from_us_V = _shard(point), np.zeros(1, np.int64)
    counted = shard.step(point.duration_us, from_us_V, False)[0]
    return int(counted[0, c.OFFERED])


def _to_the_answer(point: Scenario) -> int:
    return int(run(crew_on(LocalHost(), point), point).total_C[c.OFFERED])


def _bytes_per_camera(point: Scenario) -> int:
    """Of a shard's state after a while under load; message sizes, counts and what is under way not counted."""
    shard = _shard(point)
    shard.step(point.duration_us, np.zeros(1, np.int64), False)
    state = shard._here()
    parts = (state.cameras, state.uplinks, state.pool, (state.cell_C,))
    return -(-sum(array.nbytes for part in parts for array in part) // point.fleet.cameras)


def _in_simpy(point: Scenario) -> int:
    """The same one-queue model as processes and a store of SimPy; its counts must come near the step's."""
    fleet: Fleet = setup_of(point).fleet
    env, rng = simpy.Environment(), np.random.default_rng(0)
    size_F = (
        bank()[1].payload_bytes_LF[fleet.fixed_level] + fleet.message_header_bytes + fleet.link.header_bytes
    )
    tally = {"offered": 0, "sent": 0, "bits": 0, "dropped": 0, "waiting_bytes": 0}
    queue = simpy.Store(env)

    def camera():
        while True:
            yield env.timeout(rng.exponential(fleet.frame_period_us))
            tally["offered"] += 1
            size = int(size_F[rng.integers(len(size_F))])
            if tally["waiting_bytes"] + size > fleet.link.buffer_bytes:
                tally["dropped"] += 1
                continue
            tally["waiting_bytes"] += size
            queue.put(size)

    def link():
        while True:
            size = yield queue.get()
            tally["waiting_bytes"] -= size
            yield env.timeout(8e6 * size / fleet.link.bps)
            tally["sent"] += 1
            tally["bits"] += 8 * size

    env.process(camera())
    env.process(link())
    env.run(until=fleet.duration_us)
    shard = _shard(point)
    ours_C = shard.step(point.duration_us, np.zeros(1, np.int64), False)[0][0]
    if abs(tally["sent"] - ours_C[c.SENT]) > 0.05 * ours_C[c.SENT]:
        raise SystemExit(f"SimPy sends {tally['sent']} frames, the step {ours_C[c.SENT]}")
    return tally["offered"]


if __name__ == "__main__":
    main()
