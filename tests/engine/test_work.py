"""Figures of servers: by hand, and in sum over a run."""

import numpy as np
import pytest
from engine.fleets import run_engine
from engine.formula import formula_case

from fleet_sim.engine.counts import COLUMNS
from fleet_sim.engine.work import serving_figures
from fleet_sim.serving.replicas import WORK


def test_figures_of_servers_written_out() -> None:
    counts, _ = run_engine(formula_case())
    fleet = formula_case().fleet
    seconds = fleet.duration_us / 1e6
    work = {"batches": 10, "frames": 40, "redone": 3, "wait_us": 80_000}
    counts.work_PQ[:] = 0
    counts.work_PQ[0] = [{**work, "busy_us": 2_000_000, "ready_us": 4_000_000}[name] for name in WORK]
    figures = serving_figures(counts, fleet)
    assert figures["utilisation"] == 0.5
    assert figures["batch_mean"] == 4.0
    assert figures["queue_wait_ms"] == 2.0
    assert figures["frames_redone"] == 3
    assert figures["replicas"] == pytest.approx(4 / seconds / len(counts.work_PQ), abs=1e-6)
    total = dict(zip(COLUMNS, counts.total_C.tolist(), strict=True))
    assert figures["goodput_per_s"] == pytest.approx(total["right_on_time"] / seconds, abs=1e-6)
    assert figures["on_time_per_s"] == pytest.approx(total["on_time"] / seconds, abs=1e-6)


def test_servers_work_on_what_they_answer_and_never_more_than_there_is_time() -> None:
    case = formula_case()
    counts, _ = run_engine(case)
    work = dict(zip(WORK, counts.work_PQ.T, strict=True))
    answered = counts.total_C[COLUMNS.index("answered")]
    assert answered <= work["frames"].sum() <= answered + counts.in_flight
    assert (work["ready_us"] == case.fleet.duration_us).all()
    assert (work["busy_us"] <= work["ready_us"]).all()
    _, _, batch_us, frame_us = case.batching
    full = batch_us * work["batches"] + frame_us * work["frames"]
    assert np.all(work["busy_us"] <= full)
