"""The model of servers against a real one, under overload, and its table against real throughput.

`python -m benchmarks.serving [IMAGES.npz]`. The decoder is the head `ce` of the package, on messages of the
package's encoder at mixed levels (of made-up images where none are given: what they show costs no time).

`rows`: Poisson arrivals at several shares of the load that full batches can bear. A real server gets them by
the clock; the model foretells each frame's latency from service times measured on that server before and
after. `ratio` is the 99th percentile foretold over that observed, the median of several turns; `ratios` are
all. A turn is unfair where another process got in the way: service times before and after differ, or the
work of the turn differs from what they say, by more than STEADY; those are counted out, in sight
(`unfair_ratios`). On a machine that others use, `chrt -f 1 python -m benchmarks.serving` goes before them.

`overload`: goodput (frames right and on time a second) at up to twice that load, by what is shed; virtual.

`throughput`: full batches back to back, measured (caches are warm) and by the table (a server that waits);
on a GPU too where there is one.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks import shipped
from benchmarks.fleets import crew_on, run, scenario_of
from benchmarks.live_server import serve
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.calibrate import BatchDecoder, sizes_up_to
from fleet_sim.cluster.host import LocalHost
from fleet_sim.engine import counts as c
from fleet_sim.serving.batching import run_batches
from fleet_sim.serving.replicas import WORK
from fleet_sim.serving.table import ServiceTable, TableRow

BATCH, MAX_WAIT_US = 8, 5_000
SIZES = sizes_up_to(BATCH)
LOADS, TURNS, SECONDS = (0.3, 0.5, 0.7), 3, 4
BURSTS, BURST_GAP_S = 60, 0.006
STEADY, MOST_UNFAIR = 0.15, 4  # see `rows` above; how many turns of a load may be unfair
DEADLINE_US = 150_000
OVERLOADS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
SHEDDING = {
    "none": {},
    "queue_limit": {"queue_limit": 8 * BATCH},
    "late": {"shed": "late"},
    "predicted": {"shed": "predicted"},
}


def main() -> None:
    torch.set_num_threads(1)
    messages = shipped.messages(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    decoders = {device: shipped.decoder("ce", device) for device in devices}
    overload = _overload()
    full_us = {device: int(np.nanmax(_times_us(decoder, messages))) for device, decoder in decoders.items()}
    throughput = {device: _throughput(decoders[device], messages, full_us[device]) for device in decoders}
    rows = [_row(load, load * BATCH * 1e6 / full_us["cpu"], decoders["cpu"], messages) for load in LOADS]
    print(
        json.dumps(
            {
                "benchmark": "serving",
                "rows": rows,
                "worst_ratio": max(
                    (row["ratio"] for row in rows if row["ratio"]),
                    key=lambda ratio: abs(ratio - 1),
                    default=None,
                ),
                "overload": overload,
                "throughput_frames_per_s": {"cuda": "not run: no CUDA GPU here", **throughput},
                "n": TURNS,
                "seconds": SECONDS,
                "machine": machine("cpu"),
            }
        )
    )


def _times_us(decoder: BatchDecoder, messages: list[bytes]) -> np.ndarray:
    """Service times of each of SIZES, measured now on the server itself: medians over bursts."""
    sizes = np.random.default_rng(0).permutation(np.repeat(SIZES, BURSTS))
    arrive_s_M = np.repeat(BURST_GAP_S * np.arange(len(sizes)), sizes)
    served = serve(decoder.answer, messages, arrive_s_M, BATCH, BURST_GAP_S / 4)
    busy_us = [1e6 * served.busy_s_I[served.size_I == size] for size in SIZES]
    return np.array([np.median(us) if len(us) else np.nan for us in busy_us])


def _row(load: float, frames_a_s: float, decoder: BatchDecoder, messages: list[bytes]) -> dict:
    """One load: what is foretold, and what the real server does."""
    fair, unfair_ratios = [], []
    while len(fair) < TURNS and len(unfair_ratios) < MOST_UNFAIR:
        draws = np.random.default_rng(len(fair) + len(unfair_ratios))
        gaps_us = draws.exponential(1e6 / frames_a_s, round(frames_a_s * SECONDS))
        arrive_us_M = np.rint(np.cumsum(gaps_us)).astype(np.int64)
        before_us = _times_us(decoder, messages)
        served = serve(decoder.answer, messages, arrive_us_M / 1e6, BATCH, MAX_WAIT_US / 1e6)
        after_us = _times_us(decoder, messages)
        if np.isnan(before_us + after_us).any():  # bursts came in pieces
            unfair_ratios.append(None)
            continue
        service_us_N = _all_sizes((before_us + after_us) / 2)
        foretold_ms = _percentiles(_foretold_us(arrive_us_M, service_us_N) / 1000)
        observed_ms = _percentiles(1000 * served.latency_s_M)
        drift = np.exp(np.abs(np.log(after_us / before_us)).mean()) - 1
        worked = 1e6 * served.busy_s_I.sum() / service_us_N[served.size_I].sum() - 1
        if drift > STEADY or abs(worked) > STEADY:
            unfair_ratios.append(foretold_ms[-1] / observed_ms[-1])
        else:
            fair.append((foretold_ms, observed_ms, service_us_N[list(SIZES)].tolist()))
    row = {
        "load": load,
        "frames_per_s": round(frames_a_s),
        "frames": round(frames_a_s * SECONDS),
        "turns": len(fair),
        "ratio": None,
        "unfair_ratios": [ratio and round(ratio, 3) for ratio in unfair_ratios],
    }
    if not fair:
        return row
    ratios = [foretold_ms[-1] / observed_ms[-1] for foretold_ms, observed_ms, _ in fair]
    foretold_ms, observed_ms, service_us = fair[int(np.argsort(ratios)[len(ratios) // 2])]
    return row | {
        "ratio": round(foretold_ms[-1] / observed_ms[-1], 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "p50_p95_p99_ms": {"foretold": foretold_ms, "observed": observed_ms},
        "service_us": dict(zip(map(str, SIZES), service_us, strict=True)),
    }


def _all_sizes(times_us: np.ndarray) -> np.ndarray:
    """Service times of 0 to BATCH frames from those of SIZES, as a table of the package gives them."""
    rising_us = np.rint(np.maximum.accumulate(times_us)).astype(np.int64)
    row = TableRow(
        device="cpu", processor="here", head="ce", depth="", width=0, neurons=0,
        batches=SIZES, service_us=tuple(rising_us.tolist()),
    )  # fmt: skip
    return ServiceTable(made_by="here", rows=(row,)).service_us("cpu", "ce", row.decoder, BATCH)


def _foretold_us(arrive_us_M: np.ndarray, service_us_N: np.ndarray) -> np.ndarray:
    start_us_M, done_us_M = np.empty_like(arrive_us_M), np.empty_like(arrive_us_M)
    at_start, work_Q = np.zeros(1, np.int64), np.zeros(len(WORK), np.int64)
    never = 2**60
    run_batches(
        arrive_us_M, 0, never, MAX_WAIT_US, service_us_N[None], at_start, at_start, never,
        start_us_M, done_us_M, work_Q,
    )  # fmt: skip
    return done_us_M - arrive_us_M


def _percentiles(latency_M: np.ndarray) -> list[float]:
    return [round(float(p), 3) for p in np.percentile(latency_M, (50, 95, 99))]


def _overload() -> dict:
    """Goodput at each load by what is shed, and at twice the saturating load as a share of the peak."""
    saturating = BATCH * 1e6 / (2000 + 100 * BATCH)
    goodput = {}
    for name, shed in SHEDDING.items():
        goodput[name] = []
        for load in OVERLOADS:
            point = scenario_of(
                fleet={
                    "cameras": 2000,
                    "frame_period_us": round(2000 * 1e6 / (load * saturating)),
                    "capture": {"kind": "poisson"},
                },
                link={"sharing": "dedicated", "budget_bps": 100_000, "buffer_bytes": 600},
                serving={"servers": 1, "batch": BATCH, "batch_us": 2000, "frame_us": 100}
                | {"max_wait_us": MAX_WAIT_US, "deadline_us": DEADLINE_US}
                | shed,
                control={"controller": "fixed", "level": 3},
                duration_us=20_000_000,
                cluster={"backend": "local", "shards": 1},
            )
            counts = run(crew_on(LocalHost(), point), point)
            goodput[name].append(round(int(counts.total_C[c.RIGHT_ON_TIME]) / 20))
    return {
        "saturating_frames_per_s": round(saturating),
        "loads": OVERLOADS,
        "goodput_frames_per_s": goodput,
        "at_twice_of_peak": {name: round(rates[-1] / max(rates), 3) for name, rates in goodput.items()},
    }


def _throughput(decoder: BatchDecoder, messages: list[bytes], by_table_us: int) -> dict:
    """Frames a second of full batches one after the other; beside it what a table of the device says."""
    for _ in range(20):
        decoder.answer(messages[:BATCH])
    batches, began = 300, time.perf_counter()
    for _ in range(batches):
        decoder.answer(messages[:BATCH])
    measured = batches * BATCH / (time.perf_counter() - began)
    return {
        "measured": round(measured),
        "by_table": round(BATCH * 1e6 / by_table_us),
    }


if __name__ == "__main__":
    main()
