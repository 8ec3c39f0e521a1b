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

Encoders without labels: the same, of an encoder that travels to the cameras within seconds. Of validation
images 70 of 100 take no more bits than expected, by the released encoder as by the one before; in the field
as many (as stated), 50 by both (weather), 60 by the released one and 70 by the other, or 50 and 60 (both).
`harm` is 0.1.
"""

import json
import sys
from dataclasses import replace

import numpy as np

from benchmarks.fleets import crew_on, run, scenario_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.published import Published, Stated
from fleet_sim.cluster.server import DecoderServer
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.weighings import says
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
EXPECTED_MILLIBITS, WITHIN = 96_000, 0.7
ENCODERS = {  # shares of messages within what is expected, by the one released and by the one before
    "as_stated": (0.7, 0.7),
    "weather": (0.5, 0.5),
    "ten_points_fewer": (0.6, 0.7),
    "ten_points_fewer_in_weather": (0.5, 0.6),
}
PERIOD_US = 5_000_000


def scenario(seed: int, guard: dict[str, object] = LABELS) -> Scenario:
    """A head is released at the first boundary; the run is as long as it may take."""
    heads = [{"name": "old", "kind": "ce"}, {"name": "new", "kind": "ce"}]
    switches = [{"at_us": 0, "head": "new"}]
    return _scenario(seed, guard, {"heads": heads}, {"servers": 1, "head": "old", "switches": switches})


def encoder_scenario(seed: int) -> Scenario:
    """The same of an encoder, which is there at the second boundary."""
    train = {"recipe": "e2e", "heads": [{"name": "ce", "kind": "ce"}], "updates": [{"at_us": PERIOD_US}]}
    return _scenario(seed, UNLABELLED | {"harm": 0.1}, train, {"servers": 1})


def _scenario(
    seed: int, guard: dict[str, object], train: dict[str, object], serving: dict[str, object]
) -> Scenario:
    return scenario_of(
        seed=seed,
        duration_us=(2 * UNGUARDED_S + 20) * 1_000_000,
        fleet={"cameras": 1000, "cells": 10},
        link={"budget_bps": "100 kbit/s", "downlink_bps": "10 Mbit/s"},
        control={"controller": "fixed", "level": 2, "period_us": PERIOD_US},
        train=train,
        serving=serving,
        rollout={
            "waves": list(WAVES),
            "wave_us": WAVE_S * 1_000_000,
            "guard": guard,
            "air": {"install_us": 0},
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
        found.append(run(crew, point, Published([0], [()], [Stated(stated_HLn)])))
    host.close()
    return found


class Expecting(DecoderServer):
    """A server without networks that knows what its encoders' tables expect."""

    @property
    def _expected_millibits_VL(self) -> np.ndarray:
        return np.full((2, LEVELS), EXPECTED_MILLIBITS)


def simulated_encoders(released: float, before: float, runs: int) -> list[Counts]:
    """Encoders released without labels; in the field so many of their messages take no more than expected."""
    host, found = LocalHost(), []
    draws = np.random.default_rng(2)
    for seed in range(runs):
        bits_L, part = bank_of(OLD)
        banks, stated = [], []
        for share in (before, released):
            over_LF = np.repeat(draws.random((1, SCENES)) >= share, LEVELS, axis=0)
            banks.append((bits_L, replace(part, ideal_millibits_LF=_millibits(over_LF))))
            over_Ln = np.repeat(draws.random((1, SCENES)) >= WITHIN, LEVELS, axis=0)
            says_LnQ = says(_millibits(over_Ln), np.zeros_like(over_Ln), np.array(EXPECTED_MILLIBITS))
            stated.append(Stated(np.zeros((1, LEVELS, SCENES), np.uint16), says_LnQ))
        point = encoder_scenario(seed)
        crew = crew_on(host, point, *banks, server=Expecting)
        found.append(run(crew, point, Published([0, PERIOD_US], [(), (1000,)], stated)))
    host.close()
    return found


def _millibits(over: np.ndarray) -> np.ndarray:
    return np.where(over, EXPECTED_MILLIBITS + 1, EXPECTED_MILLIBITS - 1).astype(np.int32)


def figures(runs: list[Counts]) -> dict[str, float | None]:
    """How releases of a kind ended."""
    last_N4 = np.array([counts.events_E4[-1] for counts in runs])
    answered_N = np.array([_answered(counts) for counts in runs])
    back_N, through_N = last_N4[:, 2] == Change.BACK_WORSE, last_N4[:, 2] == Change.THROUGH
    took_s_N = (last_N4[:, 1] - np.array([counts.events_E4[0, 1] for counts in runs])) / 1e6
    return {
        "taken_back": float(back_N.mean()),
        "taken_back_before_a_fifth": float((back_N & (last_N4[:, 3] < STOP_BEFORE_PPM)).mean()),
        "through": float(through_N.mean()),
        "seconds_to_take_back_p50": _quantile(took_s_N[back_N], 0.5),
        "frames_answered_until_taken_back_p50": _quantile(answered_N[back_N], 0.5),
        "times_unguarded_p50": _quantile(took_s_N[through_N] / UNGUARDED_S, 0.5),
        "times_unguarded_max": _quantile(took_s_N[through_N] / UNGUARDED_S, 1.0),
    }


def _answered(counts: Counts) -> int:
    """By what was released: the second head, or the second encoder."""
    heads, versions = counts.by_head_HC[:, 0], counts.answers_GVHS3[..., 0].sum(axis=(0, 2, 3))
    return int(versions[1] if len(versions) > 1 else heads[1])


def _quantile(values: np.ndarray, share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if len(values) else None


def main() -> None:
    """Print one JSON line."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    found = {kind: figures(simulated(share, runs)) for kind, share in KINDS.items()}
    without = {kind: figures(simulated_unlabelled(share, runs)) for kind, share in AGREE.items()}
    encoders = {kind: figures(simulated_encoders(*shares, runs)) for kind, shares in ENCODERS.items()}
    others = {"without_labels": without, "encoders_without_labels": encoders}
    print(json.dumps({"n": runs, **found, **others, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
