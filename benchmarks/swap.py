"""Heads swapped under load: what the answers that come in the meantime wait for.

    python -m benchmarks.swap

`virtual`: four replicas behind a server, Poisson arrivals at LOAD of what full batches bear by the package's
table (resnet18 of width 16, batches of 32); at 30 s the head `kl` takes over from `ce`, and loading it takes
LOAD_US. `ratio` is the 99th percentile of latency, from arrival to answer, of frames that arrive within the
second after the switch over that of all others, of 20 turns together. `held`: all decoders are there;
`in_batch`: a replica holds one, and the first batch waits for the other to be loaded; `standby`: it is loaded
beside, and answers once it is there.

`real`: a server on this machine, fed by the clock at REAL_LOAD of what its full batches bear, of TURNS times
REAL_SECONDS; the heads are those of the package, and half way `kl` takes over from `ce`. `held`: it is in
memory; `in_batch`: the first batch after the switch waits for it to be read, verified and built; `standby`:
a thread that gives way does that and warms it up, and it answers from then on. `before` is the same ratio of
the second before the switch, where nothing happens: what this machine's unrest makes of it. Each is the
median of the turns, beside all of them. Run it under `chrt -f 1`, as benchmarks.serving.

`load_ms`: processor time of loading that head here (634 kB, verified), the median of LOADS.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from benchmarks.live_server import serve
from benchmarks.shipped import decoder, messages
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.calibrate import BatchDecoder, medians_us
from fleet_sim.cluster.epochs import batching_of, fleet_of, head_schedule
from fleet_sim.cluster.pools import pools_of
from fleet_sim.engine.pools import advance, nothing_held
from fleet_sim.engine.sent import Sent
from fleet_sim.scenario import Scenario
from fleet_sim.serving.replicas import WAITS

LOAD, LOAD_US, REPLICAS = 0.9, 200_000, 4
SECOND_US, SECONDS, SWITCH_S = 1_000_000, 60, 30
TURNS, LOADS = 20, 30
REAL_LOAD, REAL_SECONDS, BATCH, MAX_WAIT_S = 0.7, 5, 8, 0.005
HOLDING: dict[str, dict[str, Any]] = {
    "held": {},
    "in_batch": {"resident": 1, "load_us": LOAD_US},
    "standby": {"resident": 2, "load_us": LOAD_US, "standby": True},
}


def ratio(latency_M: np.ndarray, since_switch_s_M: np.ndarray) -> dict[str, float | int]:
    """p99 of the second after the switch, of the rest, and the one over the other; latencies in ms."""
    near_M = (since_switch_s_M >= 0) & (since_switch_s_M < 1)
    swap, steady = (float(np.percentile(latency_M[chosen], 99)) for chosen in (near_M, ~near_M))
    figures = {"p99_swap_ms": round(swap, 2), "p99_steady_ms": round(steady, 2)}
    return {**figures, "ratio": round(swap / steady, 3), "frames_in_swap": int(near_M.sum())}


def virtual(holding: dict[str, Any]) -> dict[str, float | int]:
    """The model's servers."""
    latency, since_s, lost = list[np.ndarray](), list[np.ndarray](), 0
    serving = {"servers": 1, "replicas": REPLICAS, "table": "default", "batch": 32, **holding}
    point = Scenario.model_validate(
        {
            "name": "swap",
            "duration_us": SECONDS * SECOND_US,
            "codec": {"depth": "resnet18", "width": 16, "neurons": 128},
            "serving": serving | {"switches": [{"at_us": SWITCH_S * SECOND_US, "head": "kl"}]},
        }
    )
    batching, schedule = batching_of(point), head_schedule(point)
    rules = pools_of(point, batching)[0]._replace(
        head_from_us_W=schedule.head_from_us_W, head_W=schedule.head_W
    )
    for turn in range(TURNS):
        rate = LOAD * REPLICAS * 32 / batching.service_us_HN[0, 32]
        draws = np.random.default_rng(turn)
        arrive_us = np.cumsum(draws.exponential(1 / rate, int(rate * SECONDS * SECOND_US))).astype(np.int64)
        number, nothing = np.arange(len(arrive_us), dtype=np.int32), np.zeros(len(arrive_us), np.int8)
        sent = Sent(arrive_us, arrive_us, number % 1000, number, nothing, nothing)
        _, seen, after = advance(nothing_held(rules), [sent], 2**60, fleet_of(point, 1), rules)
        lost += int((after.head == WAITS).sum()) + len(arrive_us) - len(seen.camera)
        settled = seen.arrive_us > 5 * SECOND_US
        latency.append((after.ended_us - seen.arrive_us)[settled] / 1000)
        since_s.append(seen.arrive_us[settled] / SECOND_US - SWITCH_S)
    return {**ratio(np.concatenate(latency), np.concatenate(since_s)), "frames_lost": lost}


def _answering(holding: str, after: int, pool: ThreadPoolExecutor) -> Callable[[Sequence[bytes]], None]:
    """Answers by `ce`, and by `kl` once `after` frames are answered and it is there."""
    now, answered = decoder("ce"), 0
    coming = pool.submit(decoder, "kl") if holding == "held" else None
    if coming:
        coming.result()

    def answer(messages: Sequence[bytes]) -> None:
        nonlocal now, answered, coming
        if answered >= after:
            if coming is None and holding == "standby":
                coming = pool.submit(_beside, "kl", messages)
            coming = coming or pool.submit(decoder, "kl")
            if coming.done() or holding == "in_batch":
                now = coming.result()
        answered += len(messages)
        now.answer(messages)

    return answer


def _beside(name: str, messages: Sequence[bytes]) -> BatchDecoder:
    """As `decoder`, warm, and in nobody's way."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread alone
    made = decoder(name)
    made.answer(messages)
    return made


def real(holding: str) -> dict[str, Any]:
    """A server on this machine."""
    probe, turns, before = messages(), list[dict[str, Any]](), list[float]()
    full_us = medians_us(decoder("ce").answer, probe, [BATCH])[0]
    rate = REAL_LOAD * BATCH * 1e6 / full_us
    for turn in range(TURNS):
        draws = np.random.default_rng(turn)
        arrive_s_M = np.cumsum(draws.exponential(1 / rate, round(rate * REAL_SECONDS)))
        half = len(arrive_s_M) // 2
        with ThreadPoolExecutor(1) as pool:
            served = serve(_answering(holding, half, pool), probe, arrive_s_M, BATCH, MAX_WAIT_S)
        since_s_M, latency_M = arrive_s_M - arrive_s_M[half], 1000 * served.latency_s_M
        turns.append(ratio(latency_M, since_s_M))
        quiet_M = since_s_M < 0
        before.append(ratio(latency_M[quiet_M], since_s_M[quiet_M] + 1)["ratio"])
    ratios = [turn["ratio"] for turn in turns]
    middle = turns[int(np.argsort(ratios)[TURNS // 2])]
    return {**middle, "ratios": ratios, "before": round(float(np.median(before)), 3), "befores": before}


def load_ms() -> float:
    """From its files to a head that can answer."""
    took_ms = list[float]()
    for _ in range(LOADS):
        began_s = time.process_time()
        decoder("kl")
        took_ms.append(1000 * (time.process_time() - began_s))
    return round(float(np.median(took_ms)), 2)


def main() -> None:
    """Print one JSON line."""
    torch.set_num_threads(1)
    figures = {
        "load": LOAD,
        "load_us": LOAD_US,
        "n": TURNS,
        "virtual": {name: virtual(holding) for name, holding in HOLDING.items()},
        "real": {name: real(name) for name in HOLDING},
        "load_ms": load_ms(),
    }
    print(json.dumps({**figures, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
