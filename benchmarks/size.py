"""Does `fleet-sim size` find what an exhaustive sweep finds, with a fraction of its simulated frames?

`python -m benchmarks.size`: one question to each of three scenarios as they are shipped, whose versions are
trained before (`train_s`). The sweep tries every value in steps of 2 % from half to twice the answer, with
the same seeds, and takes the last one whose mean over the seeds meets the target. Agreement: it, or the step
behind it, lies within the answer's interval. Seconds are of the clock, `answer_cpu_s` those of all processors
together.
"""

import io
import json
import math
import tempfile
import time
from pathlib import Path

from rich.console import Console

from fleet_sim.basics.machine import machine
from fleet_sim.report.results import PointRow, read_results
from fleet_sim.report.view import View
from fleet_sim.run import run, train
from fleet_sim.scenario import Scenario, load_scenario
from fleet_sim.sizing.search import Crossing
from fleet_sim.sizing.size import SEEDS, SOUGHT, size
from fleet_sim.sizing.target import Target, read_target

SCENARIOS = Path(__file__).parents[1] / "scenarios"
STEP = 1.02
# By file: what is sought, for what, and one value of what the scenario sweeps.
QUESTIONS = {
    "bandlimited": (
        "fleet.cameras",
        "accuracy_on_time=0.9",
        ["link.budget_bps=8 kbit/s", "fleet.cameras=1600"],
    ),
    "lorawan": ("fleet.cameras", "accuracy_on_time=0.6", ["control.level=4", "fleet.cameras=1000"]),
    "cellular_trace": ("link.budget_bps", "accuracy_on_time=0.8", ["control.controller=predictive"]),
}


def quiet() -> View:
    return View(Console(file=io.StringIO()))


def swept(scenario: Scenario, find: str, answer: int, out: Path) -> tuple[list[PointRow], list[int]]:
    """Points of an exhaustive sweep around the answer, and the values tried."""
    # In steps from the scenario's own value, so that nothing but their span depends on the answer.
    start = scenario.fleet.cameras if find == "fleet.cameras" else scenario.link.budget_bps or 1
    first, last = (round(math.log(answer * factor / start, STEP)) for factor in (0.5, 2))
    values = [round(start * STEP**step) for step in range(first, last + 1)]
    axis = {find: values, "seeds": SEEDS}
    wide = Scenario.model_validate({**scenario.model_dump(mode="json"), "sweep": axis})
    return read_results(run(wide, out, quiet())).summary["points"], values


def limits(rows: list[PointRow], values: list[int], target: Target, larger_is_better: bool) -> list[int]:
    """The last value that meets the target and the step behind it."""
    kept = [value for row, value in zip(rows, values, strict=True) if target.margin(row) >= 0]
    if larger_is_better:
        place = values.index(min(kept))
        return values[max(0, place - 1) : place + 1]
    place = values.index(max(kept))
    return values[place : place + 2]


def main() -> None:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for name, (find, text, settings) in QUESTIONS.items():
            file, here = SCENARIOS / f"{name}.yaml", ["cluster.backend=local", "audit=0", *settings]
            began = time.perf_counter()
            models = train(load_scenario(file, here), out / name, quiet())
            train_s = time.perf_counter() - began
            target, scenario = read_target(text), load_scenario(file, [*here, f"train.use={models}"])
            began, began_cpu = time.perf_counter(), time.process_time()
            answer, _ = size(scenario, find, target, out, quiet())
            answer_s, answer_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
            assert isinstance(answer.found, Crossing), answer.sentence
            began = time.perf_counter()
            rows, values = swept(scenario, find, answer.found.value, out)
            found = limits(rows, values, target, SOUGHT[find])
            low, high = answer.found.low, answer.found.high
            figures[name] = {
                "asked": f"{find} for {target.words}",
                "answer": answer.found.value,
                "interval": [low, high],
                "sweep": found,
                "agrees": bool(found[0] <= high and found[-1] >= low),
                "frames_of_sweep": round(answer.frames / sum(row["frames_offered"] for row in rows), 4),
                "train_s": round(train_s, 1),
                "answer_s": round(answer_s, 1),
                "answer_cpu_s": round(answer_cpu_s, 1),
                "sweep_s": round(time.perf_counter() - began, 1),
            }
    whole = {"questions": figures, "n": SEEDS, "machine": machine("cpu")}
    print(json.dumps(whole))


if __name__ == "__main__":
    main()
