"""Heads swapped under load: what the answers that come in the meantime wait for.

    python -m benchmarks.swap

`virtual`: four replicas behind a server, Poisson arrivals at LOAD of what full batches bear by the package's
table (resnet18 of width 16, batches of 32); at 30 s the head `kl` takes over from `ce`, and loading it takes
LOAD_US. `ratio` is the 99th percentile of latency, from arrival to answer, of frames that arrive within the
second after the switch over that of all others, of 20 turns together. `held`: all decoders are there;
`in_batch`: a replica holds one, and the first batch waits for the other to be loaded; `standby`: it is loaded
beside, and answers once it is there.

`load_ms`: processor time of loading that head of the package (634 kB) here, the median of LOADS.
"""

import json
import time
from typing import Any

import numpy as np
import torch

from fleet_sim.basics.machine import machine
from fleet_sim.cluster.epochs import batching_of, fleet_of, head_schedule
from fleet_sim.cluster.pools import pools_of
from fleet_sim.codec.head import load_head
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.engine.pools import advance, nothing_held
from fleet_sim.engine.sent import Sent
from fleet_sim.registry.shipped import FOLDER, opened
from fleet_sim.scenario import Scenario
from fleet_sim.serving.replicas import WAITS

LOAD, LOAD_US, REPLICAS = 0.9, 200_000, 4
SECOND_US, SECONDS, SWITCH_S = 1_000_000, 60, 30
TURNS, LOADS = 20, 30
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


def load_ms() -> float:
    """From a verified version to a head that can answer."""
    registry = opened(FOLDER)
    versions = {v.manifest.get("head", {}).get("name"): registry.load(v.id) for v in registry.list()}
    encoder, head = versions[None], versions["kl"]
    spec = CodecSpec.model_validate(encoder.manifest["codec"])
    tables, took_ms = Tables.from_arrays(encoder.tensors["tables"]), list[float]()
    for _ in range(LOADS):
        began_s = time.process_time()
        load_head(head.manifest, spec, head.tensors, tables)
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
        "load_ms": load_ms(),
    }
    print(json.dumps({**figures, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
