"""The guard inside runs: how often it is wrong, how far a bad release gets, what it costs in frames and time.

    python -m benchmarks.releases [RUNS]

`benchmarks.canary` simulates labels; this simulates fleets, frame by frame, through links, servers and the
driver's decisions at period boundaries. 1,000 cameras, a frame a second, all answers labelled, 6 s late;
waves of 5, 10, 20, 40, 80 and 100 % that last a minute each: as many labels a wave as 10,000 cameras give
with 1 % of their answers labelled in waves of ten minutes. The head before is right of 90 % of the scenes,
the one released of 90 % (equal), 87 % (harmful, the guard's `harm`) or 88.5 %. RUNS seeds of each, the same
for all.

Without labels: the same fleets and waves under a guard that knows only how often the two heads agree, on
2,000 scenes and 2,000 validation images drawn anew for each run. On validation images they agree in 95 %; in
the field in 95 % (as stated), 92 % or 93.5 %. Once the scenes are used up there is no more evidence.
"""

import json
import sys
from dataclasses import replace

import numpy as np

from benchmarks.fleets import crew_on, run, scenario_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.host import LocalHost
from fleet_sim.engine.counts import Counts
from fleet_sim.registry.rollout import Change
from fleet_sim.scenario import Scenario

RUNS, SCENES, LEVELS = 1000, 2000, 8
OLD, KINDS = 0.9, {"equal": 0.9, "harmful": 0.87, "half_as_harmful": 0.885}
WAVES, WAVE_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0), 60
UNGUARDED_S = WAVE_S * (len(WAVES) - 1)
STOP_BEFORE_PPM = 200_000


STATED, AGREE = 0.95, {"as_stated": 0.95, "harmful": 0.92, "half_as_harmful": 0.935}
LABELS = {"kind": "labels", "share": 1, "delay_us": "6 s"}
UNLABELLED = {"kind": "unlabelled"}


def scenario(seed: int, guard: dict[str, object] = LABELS) -> Scenario:
    """A head is released at the first boundary; the run is as long as it may take."""
    return scenario_of(
        seed=seed,
        duration_us=(2 * UNGUARDED_S + 20) * 1_000_000,
        fleet={"cameras": 1000, "cells": 10},
        link={"budget_bps": "100 kbit/s"},
        control={"controller": "fixed", "level": 2, "period_us": "5 s"},
        train={"heads": [{"name": "old", "kind": "ce"}, {"name": "new", "kind": "ce"}]},
        serving={"servers": 1, "head": "old", "switches": [{"at_us": 0, "head": "new"}]},
        rollout={
            "waves": list(WAVES),
            "wave_us": WAVE_S * 1_000_000,
            "guard": guard,
        },
        cluster={"backend": "local", "shards": 1, "epoch_us": "auto"},
    )


def bank_of(new: float) -> tuple[np.ndarray, BankPart]:
    """Heads that are right of just these shares of the scenes, at every level; messages of 12 bytes."""
    draws = np.random.default_rng(0)
    right_HF = np.stack([draws.permutation(SCENES) < share * SCENES for share in (OLD, new)])
    bytes_LF = np.full((LEVELS, SCENES), 12, np.int32)
    right_HLF = np.repeat(right_HF[:, None], LEVELS, axis=1)
    return np.full(LEVELS, 96), BankPart(bytes_LF, 8000 * bytes_LF, right_HLF, np.zeros_like(bytes_LF, bool))


def simulated(new: float, runs: int) -> list[Counts]:
    """What runs with so many seeds counted."""
    host = LocalHost()
    crew = crew_on(host, scenario(0), bank_of(new))
    found = [run(crew, scenario(seed)) for seed in range(runs)]
    host.close()
    return found


def simulated_unlabelled(field: float, runs: int) -> list[Counts]:
    """The same without labels: what the released head answers otherwise than the one before."""
    host, found = LocalHost(), []
    draws = np.random.default_rng(1)
    for seed in range(runs):
        bits_L, part = bank_of(OLD)
        answer_HLF, stated_HLn = (np.zeros((2, LEVELS, SCENES), np.uint16) for _ in range(2))
        answer_HLF[1], stated_HLn[1] = draws.random(SCENES) >= field, draws.random(SCENES) >= STATED
        point = scenario(seed, UNLABELLED)
        crew = crew_on(host, point, (bits_L, replace(part, answer_HLF=answer_HLF)))
        found.append(run(crew, point, stated_HLn))
    host.close()
    return found


def figures(runs: list[Counts]) -> dict[str, float | None]:
    """How releases of a kind ended."""
    last_N4 = np.array([counts.events_E4[-1] for counts in runs])
    answered_N = np.array([counts.by_head_HC[1, 0] for counts in runs])
    back_N, through_N = last_N4[:, 2] == Change.BACK_WORSE, last_N4[:, 2] == Change.THROUGH
    took_s_N = last_N4[:, 1] / 1e6
    return {
        "taken_back": float(back_N.mean()),
        "taken_back_before_a_fifth": float((back_N & (last_N4[:, 3] < STOP_BEFORE_PPM)).mean()),
        "through": float(through_N.mean()),
        "seconds_to_take_back_p50": _quantile(took_s_N[back_N], 0.5),
        "frames_answered_until_taken_back_p50": _quantile(answered_N[back_N], 0.5),
        "times_unguarded_p50": _quantile(took_s_N[through_N] / UNGUARDED_S, 0.5),
        "times_unguarded_max": _quantile(took_s_N[through_N] / UNGUARDED_S, 1.0),
    }


def _quantile(values: np.ndarray, share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if len(values) else None


def main() -> None:
    """Print one JSON line."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    found = {kind: figures(simulated(share, runs)) for kind, share in KINDS.items()}
    without = {kind: figures(simulated_unlabelled(share, runs)) for kind, share in AGREE.items()}
    print(json.dumps({"n": runs, **found, "without_labels": without, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
