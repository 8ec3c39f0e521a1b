"""Frames a second on one core: dedicated links, shared cells, the whole way to the answer; and against SimPy.

`python -m benchmarks.engine`. Rates are frames offered for each second that the processor worked for this
process, which neighbours on the machine change little; seconds on the wall clock stand beside them. Each rate
is the median of several runs, after one that compiles. Needs the extra `bench` (SimPy).
"""

import json
import random
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import partial

import numpy as np
import simpy

from benchmarks.fleets import GILBERT_ELLIOTT, SCENES, bank, crew_on, run, scenario_of, setup_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.control.budget import plan_bits
from fleet_sim.engine import counts as c
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.orders import Known
from fleet_sim.network.link import CERTAIN
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
ONE = {"backend": "local", "shards": 1}
SERVING = {"servers": 8, "batch": 512, "batch_us": 2000, "frame_us": 20}  # enough for 300,000 frames a second
LINK = {"loss": GILBERT_ELLIOTT, "retries": 2, "buffer_bytes": 600, "header_bytes": 28}


def main() -> None:
    dedicated = {"sharing": "dedicated", "budget_bps": 2000}
    frames = {"cameras": 200_000, "frame_period_us": 1_000_000}
    alone = scenario_of(
        fleet=frames, link=LINK | dedicated, serving=SERVING, duration_us=20_000_000, cluster=ONE
    )
    cells = scenario_of(
        fleet=frames | {"cells": 2000},
        link=LINK | {"sharing": "max_min", "budget_bps": 60_000},
        duration_us=20_000_000,
        cluster=ONE,
    )
    few = scenario_of(
        fleet=frames | {"cameras": 500}, link=LINK | dedicated, duration_us=200_000_000, cluster=ONE
    )
    figures = {
        "link": _rate(partial(_cameras_only, alone)),
        "cell": _rate(partial(_cameras_only, cells)),
        "full": _rate(partial(_to_the_answer, alone)),
    }
    ours, theirs = _rate(partial(_cameras_only, few)), _rate(partial(_in_simpy, few), runs=2)
    print(
        json.dumps(
            {
                "benchmark": "engine",
                **{f"{name}_frames_per_s_per_core": round(cpu) for name, (cpu, _) in figures.items()},
                **{f"{name}_frames_per_wall_s": round(wall) for name, (_, wall) in figures.items()},
                "bytes_per_camera": _bytes_per_camera(alone),
                "vs_simpy": round(ours[0] / theirs[0]),
                "of_500_cameras_frames_per_s": {"fleet_sim": round(ours[0]), "simpy": round(theirs[0])},
                "n": RUNS,
                "features": FEATURES,
                "full_adds": ["batching server", "answers"],
                "machine": machine("cpu"),
            }
        )
    )


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
    shard, known = _shard(point), Known(np.zeros(1, np.int64))
    counted = shard.step(point.duration_us, known, False)[0].counted_VC
    return int(counted[0, c.OFFERED])


def _to_the_answer(point: Scenario) -> int:
    return int(run(crew_on(LocalHost(), point), point).total_C[c.OFFERED])


def _bytes_per_camera(point: Scenario) -> int:
    """Of a shard's state after a while under load, without message sizes, counts and what is on its way."""
    shard = _shard(point)
    shard.step(point.duration_us, Known(np.zeros(1, np.int64)), False)
    state = shard._here()
    parts = (state.cameras, state.uplinks, state.pool, (state.cell_C,))
    return -(-sum(array.nbytes for part in parts for array in part) // point.fleet.cameras)


def _in_simpy(point: Scenario) -> int:
    """Dedicated links as SimPy would have them: a process a camera, one a link, a store between."""
    fleet: Fleet = setup_of(point).fleet
    link, env, rng = fleet.link, simpy.Environment(), random.Random(0)
    payload_bits_L, part = bank()
    headers = fleet.message_header_bytes + link.header_bytes
    size_LF = (part.payload_bytes_LF + headers).tolist()
    expected_bits_L = (payload_bits_L + 8 * headers).tolist()
    plan = plan_bits(link.budget_bps, 1, fleet.frame_period_us, fleet.headroom_ppm)
    counts, latencies_us = Counter(), list[float]()

    class Camera:
        def __init__(self) -> None:
            self.queue, self.waiting_bytes, self.bad = simpy.Store(env), 0, False
            env.process(self.capture(rng.randrange(fleet.frame_period_us)))
            env.process(self.transmit())

        def capture(self, phase_us: int) -> Iterator[simpy.Event]:
            yield env.timeout(phase_us + fleet.encode_us)
            while True:
                counts["offered"] += 1
                level = max(bisect_right(expected_bits_L, plan - 8 * self.waiting_bytes) - 1, 0)
                size = size_LF[level][int(rng.random() * SCENES)]
                if self.waiting_bytes + size > link.buffer_bytes:
                    counts["dropped_buffer"] += 1
                else:
                    self.waiting_bytes += size
                    self.queue.put((size, env.now - fleet.encode_us))
                yield env.timeout(fleet.frame_period_us)

        def transmit(self) -> Iterator[simpy.Event]:
            while True:
                size, capture_us = yield self.queue.get()
                self.waiting_bytes -= size
                fate = yield from self.attempts(size, capture_us)
                counts[fate] += 1

        def attempts(self, size: int, capture_us: float) -> Generator[simpy.Event, None, str]:
            expiry_us = capture_us + fleet.deadline_us - link.propagation_us
            for _ in range(1 + link.retries):
                took_us = -(-8 * size * 1_000_000 // link.bps)
                if env.now + took_us > expiry_us:
                    return "dropped_deadline"
                yield env.timeout(took_us)
                if not self.lost():
                    env.process(self.arrive(capture_us))
                    return "sent"
                yield env.timeout(link.retry_wait_us)
            return "dropped_loss"

        def lost(self) -> bool:
            lost = rng.random() * CERTAIN < (link.loss_bad if self.bad else link.loss_good)
            turn = rng.random() * CERTAIN
            self.bad = turn >= link.to_good if self.bad else turn < link.to_bad
            return lost

        def arrive(self, capture_us: float) -> Iterator[simpy.Event]:
            yield env.timeout(link.propagation_us)
            latencies_us.append(env.now - capture_us)

    for _ in range(fleet.cameras):
        Camera()
    env.run(until=fleet.duration_us)
    known = Known(np.zeros(1, np.int64))
    ours_C = _shard(point).step(point.duration_us, known, False)[0].counted_VC[0]
    if abs(counts["sent"] - ours_C[c.SENT]) > 0.02 * ours_C[c.SENT]:
        raise SystemExit(f"SimPy sends {counts['sent']} frames, the step {ours_C[c.SENT]}")
    return counts["offered"]


if __name__ == "__main__":
    main()
