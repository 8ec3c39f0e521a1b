"""Does `fleet-sim compare` find differences that are there, and none that are not?

200 trials each, with 5 seeds a run: of two equal fleets that draw from different seeds a difference in any
figure is a false alarm; of two whose servers differ by one point in what they answer rightly, on the same
seeds, the one in `accuracy_on_time` should be found.
"""

import json
from dataclasses import replace

import numpy as np

from benchmarks.fleets import bank, crew_on, run, scenario_of
from fleet_sim.basics.machine import machine
from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.simulation import Crew
from fleet_sim.report.compare import compare
from fleet_sim.report.results import Results
from fleet_sim.report.summary import Outcome, point_row
from fleet_sim.scenario import Scenario, points, repeated

TRIALS, SEEDS = 200, 5
FLEET = {
    "duration_us": "20 s",
    "fleet": {"cameras": 200, "cells": 4},
    "link": {"budget_bps": "20 kbit/s", "header_bytes": 4, "loss": {"kind": "bernoulli", "p": 0.05}},
    "train": {"heads": [{"name": "plain", "kind": "ce"}, {"name": "better", "kind": "ce"}]},
    "cluster": {"backend": "local", "shards": 1},
}


def two_heads() -> tuple[np.ndarray, BankPart]:
    """The benchmarks' bank, and a second head that is right on one scene in a hundred more."""
    payload_bits_L, part = bank()
    plain_LF = part.right_HLF[0]
    better_LF = plain_LF.copy()
    rng = np.random.default_rng(1)
    for right_F in better_LF:
        right_F[rng.choice(np.flatnonzero(~right_F), len(right_F) // 100, replace=False)] = True
    return payload_bits_L, replace(part, right_HLF=np.stack([plain_LF, better_LF]))


def results_of(crew: Crew, scenario: Scenario, scenes: int) -> Results:
    (point,) = points(scenario)
    outcomes = [
        Outcome(again, fleet_of(again.scenario, scenes), run(crew, again.scenario), 0.0)
        for again in repeated(point, SEEDS)
    ]
    return Results({"points": [point_row(outcomes)], "scenario": {}}, [])  # type: ignore[typeddict-item]


def main() -> None:
    host = LocalHost()
    banked = two_heads()
    base = scenario_of(**FLEET, serving={"head": "plain", "deadline_us": "500 ms"})
    crew = crew_on(host, base, banked)
    scenes = banked[1].right_HLF.shape[2]
    better = base.model_copy(update={"serving": base.serving.model_copy(update={"head": "better"})})
    false_alarms, found, gains = 0, 0, []
    for trial in range(TRIALS):
        seeded = [scenario.model_copy(update={"seed": 2 * trial}) for scenario in (base, better)]
        a, b = (results_of(crew, scenario, scenes) for scenario in seeded)
        other = results_of(crew, base.model_copy(update={"seed": 2 * trial + 1}), scenes)
        false_alarms += any(one.matters for one in compare("a", a, "other", other).differences)
        on_time = compare("a", a, "b", b).differences[0]
        found += on_time.matters
        gains.append(on_time.difference)
    host.close()
    print(
        json.dumps(
            {
                "equal_without_a_difference": 1 - false_alarms / TRIALS,
                "one_point_found": found / TRIALS,
                "mean_gain": float(np.mean(gains)),
                "frames_a_run": SEEDS * 4000,
                "seeds": SEEDS,
                "n": TRIALS,
                "machine": machine("cpu"),
            }
        )
    )


if __name__ == "__main__":
    main()
