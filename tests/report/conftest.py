"""A made-up run that looks like a real one: 4 budgets x 3 camera counts, 3 heads, a new version half way."""

import math
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from fleet_sim.report.results import write_results
from fleet_sim.scenario import Scenario

LADDER = (4, 7, 11, 18, 29, 48, 78, 128)
REASONS = ("buffer", "deadline", "loss", "outage", "corrupt", "incompatible", "shed", "skipped")
SECONDS = 60
ENCODERS = [
    {
        "id": "4f1c9b07d2a85e31" * 4,
        "recipe": "e2e",
        "at_us": 0,
        "heads": {h: f"{h}-0" for h in ("ce", "kl", "svm")},
    },
    {
        "id": "b7702e64a91fd3c8" * 4,
        "recipe": "duphil",
        "at_us": 30_000_000,
        "heads": {h: f"{h}-1" for h in ("ce", "kl", "svm")},
    },
]


def bits_at(level: float) -> float:
    return 2.4 * LADDER[0] * (LADDER[-1] / LADDER[0]) ** (level / 7) + 8


def right_at(level: float, gain: float = 0.0) -> float:
    return min(0.99, 0.972 + gain - 0.55 * math.exp(-0.75 * level))


def ladder(encoders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "encoder": encoder["id"],
            "head": head,
            "level": level,
            "neurons": LADDER[level],
            "bpp_ideal": round(bits_at(level) / 1024 - 0.004, 6),
            "bpp_payload": round(bits_at(level) / 1024, 6),
            "accuracy": round(
                right_at(level, 0.012 * i - 0.02 * ["ce", "kl", "svm"].index(head) / (level + 1)), 6
            ),
        }
        for i, encoder in enumerate(encoders)
        for head in encoder["heads"]
        for level in range(8)
    ]


def point(index: int, sweep: dict[str, Any], cameras: int, budget_bps: int) -> dict[str, Any]:
    bits_a_frame = budget_bps * 10 / cameras - 8 * 33
    level = max(
        0.0, min(7.0, 7 * math.log(max(bits_a_frame, 9) / bits_at(0)) / math.log(bits_at(7) / bits_at(0)))
    )
    wire = bits_at(level) + 8 * 33
    offered = cameras * SECONDS
    carried = min(1.0, budget_bps * 10 / cameras / wire)
    in_flight = cameras // 10
    buffer = round(offered * (1 - carried) * 0.35)
    deadline = round(offered * (1 - carried) * 0.6)
    answered = offered - in_flight - buffer - deadline
    right = round(answered * right_at(level))
    p50 = 60 + 380 * (1 - carried) + 40 * min(1, wire * cameras / (budget_bps * 10))
    return {
        "point": index,
        "sweep": sweep,
        "cameras": cameras,
        "cells": 10,
        "budget_bps": budget_bps,
        "duration_us": SECONDS * 1_000_000,
        "accuracy": right / answered if answered else None,
        "accuracy_on_time": right * (0.98 if carried == 1 else 0.8) / offered,
        "level_mean": level,
        "bpp_ideal": bits_at(level) / 1024 - 0.004,
        "bpp_payload": bits_at(level) / 1024,
        "bpp_wire": wire / 1024,
        "frames_offered": offered,
        "frames_answered": answered,
        "frames_dropped": {**dict.fromkeys(REASONS, 0), "buffer": buffer, "deadline": deadline},
        "frames_in_flight": in_flight,
        "latency_ms": {"p50": p50, "p95": p50 * 1.9, "p99": p50 * 2.6, "p99.9": p50 * 3.1},
        "serving": {
            "offered_per_s": offered / SECONDS,
            "goodput_per_s": right * (0.98 if carried == 1 else 0.8) / SECONDS,
            "on_time_per_s": answered * (0.98 if carried == 1 else 0.8) / SECONDS,
            "utilisation": 0.4 * carried,
            "replicas": 1.0,
            "batch_mean": 4.5,
            "queue_wait_ms": 3.25,
            "frames_redone": 0,
        },
        "link_utilisation": min(0.999, wire * cameras / (budget_bps * 10)),
        "cell_wire_bps_max": min(budget_bps, round(wire * cameras / 10)),
        "wall_s": 2.1,
    }


def silent(index: int, sweep: dict[str, Any]) -> dict[str, Any]:
    """A point at which no frame ever got through."""
    row = point(index, sweep, 100, 20_000)
    none = ("accuracy", "level_mean", "bpp_ideal", "bpp_payload", "bpp_wire")
    dropped = {**dict.fromkeys(REASONS, 0), "outage": row["frames_offered"]}
    return {
        **row,
        **dict.fromkeys(none),
        "accuracy_on_time": 0.0,
        "frames_answered": 0,
        "frames_in_flight": 0,
        "frames_dropped": dropped,
        "latency_ms": dict.fromkeys(("p50", "p95", "p99", "p99.9")),
    }


def timeline(points: list[dict[str, Any]], encoders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for row, second in product(points, range(SECONDS)):
        encoder = encoders[-1] if second >= encoders[-1]["at_us"] // 1_000_000 else encoders[0]
        cameras = row["cameras"]
        share = row["frames_answered"] / row["frames_offered"]
        wobble = 0.15 * math.sin(second / 2.5) + 0.1 * math.sin(second * 1.7)
        answered = round(cameras * share)
        right = round(answered * min(1, (row["accuracy"] or 0) + 0.004 * math.sin(second)))
        rows.append(
            {
                "point": row["point"],
                "second": second,
                "profile": "shared-cell",
                "cell": -1,
                "encoder": encoder["id"][:16],
                "head": "ce" if second < 45 else "svm",
                "offered": cameras,
                "sent": answered,
                "level_sum": round(answered * max(0, min(7, (row["level_mean"] or 0) + wobble))),
                "payload_bits": round(answered * 1024 * (row["bpp_payload"] or 0)),
                "wire_bits": round(answered * 1024 * (row["bpp_wire"] or 0)),
                "answered": answered,
                "right": right,
                "right_on_time": round(right * 0.95),
                "latency_us_sum": answered * 100_000,
                **{f"dropped_{r}": n // SECONDS for r, n in row["frames_dropped"].items()},
            }
        )
    return rows


def summary(points: list[dict[str, Any]], encoders: list[dict[str, Any]]) -> dict[str, Any]:
    switches = [{"at_us": 45_000_000, "head": "svm"}] if len(encoders) > 1 else []
    scenario = Scenario.model_validate({"name": "bandlimited", "serving": {"switches": switches}})
    return {
        "name": "bandlimited",
        "digest": "9d3c5f0a7b1e" * 5 + "77aa",
        "seed": 1,
        "scenario": scenario.model_dump(mode="json"),
        "versions": {"encoders": encoders},
        "machine": {"processor": "x86_64, 2 cores", "python": "3.11.2", "torch": "2.11.0", "device": "cpu"},
        "ladder": ladder(encoders),
        "points": points,
        "audit": {"checked": 1234},
        "wall_s": {"train": 38.2, "bank": 4.1, "simulate": 25.9, "total": 71.4},
    }


Write = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> Write:
    """Writes a made-up run; rows of points may be given, and whether a new version comes half way."""

    def write(points: list[dict[str, Any]] | None = None, update: bool = True, name: str = "run") -> Path:
        encoders = ENCODERS if update else ENCODERS[:1]
        rows = grid() if points is None else points
        folder = tmp_path / name
        folder.mkdir()
        write_results(folder, summary(rows, encoders), rows, timeline(rows, encoders))
        return folder

    return write


def grid() -> list[dict[str, Any]]:
    """The 12 points of the made-up run."""
    budgets, cameras = (10_000, 20_000, 50_000, 200_000), (200, 500, 2000)
    return [
        point(i, {"link.budget_bps": b, "fleet.cameras": c}, c, b)
        for i, (b, c) in enumerate(product(budgets, cameras))
    ]


@pytest.fixture
def make_point() -> Callable[..., dict[str, Any]]:
    """Makes one row of points."""
    return point


@pytest.fixture
def silent_point() -> Callable[..., dict[str, Any]]:
    """Makes a row of points at which nothing was sent."""
    return silent
