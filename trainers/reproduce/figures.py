"""A figure over seeds: mean, spread, and what it took."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainers.reproduce.chart import Series
from trainers.reproduce.store import Record, Step, Store
from trainers.reproduce.training import Train

BITS = ("ideal", "payload", "wire")
EQUAL_BITS = (16, 32, 64, 128, 192, 256)
"""Payload bits a frame at which recipes are compared."""


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and sample standard deviation (None for one value) of `values`, one a seed."""
    return {
        "mean": statistics.fmean(values),
        "standard_deviation": statistics.stdev(values) if len(values) > 1 else None,
        "n": len(values),
        "values": list(values),
    }


def curve_over_seeds(curves: Sequence[Sequence[dict[str, Any]]], pixels: int) -> list[dict[str, Any]]:
    """Levels of several seeds' curves as one: bits are means, a frame and a pixel; accuracies have spread."""
    rows = []
    for levels in zip(*curves, strict=True):
        bits = {name: statistics.fmean(level[f"{name}_bits"] for level in levels) for name in BITS}
        rows.append(
            {
                "neurons": levels[0]["neurons"],
                **{f"{name}_bits": value for name, value in bits.items()},
                **{f"{name}_bpp": value / pixels for name, value in bits.items()},
                "test_accuracy": {
                    way: over_seeds([level["accuracy"][way] for level in levels])
                    for way in levels[0]["accuracy"]
                },
            }
        )
    return rows


def at_equal_bits(
    ours: Sequence[Sequence[dict[str, Any]]], theirs: Sequence[Sequence[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Two recipes' curves, seed by seed, at the same payload bits: accuracies, and theirs less ours.

    Between levels accuracy is interpolated linearly in bits. A number of bits that a curve does not reach
    stays out.
    """
    rows = []
    for bits in EQUAL_BITS:
        if not all(c[0]["payload_bits"] <= bits <= c[-1]["payload_bits"] for c in (*ours, *theirs)):
            continue
        for way in ours[0][0]["accuracy"]:
            first, second = ([_between(levels, way, bits) for levels in curves] for curves in (ours, theirs))
            gain = [two - one for one, two in zip(first, second, strict=True)]
            rows.append(
                {
                    "payload_bits": bits,
                    "way": way,
                    "first": over_seeds(first),
                    "second": over_seeds(second),
                    "gain": over_seeds(gain),
                }
            )
    return rows


def _between(levels: Sequence[dict[str, Any]], way: str, bits: float) -> float:
    places = [level["payload_bits"] for level in levels]
    return float(np.interp(bits, places, [level["accuracy"][way] for level in levels]))


def baselines_over_seeds(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The label and each picture setting, with accuracies over seeds."""

    def merged(same: Sequence[dict[str, Any]]) -> dict[str, Any]:
        rest = {key: value for key, value in same[0].items() if key != "accuracy"}
        return rest | {"test_accuracy": over_seeds([one["accuracy"] for one in same])}

    pictures = zip(*(figures["pictures"] for figures in found), strict=True)
    return {"label": merged([f["label"] for f in found]), "pictures": [merged(same) for same in pictures]}


def series_of(levels: Sequence[dict[str, Any]], way: str, name: str, colour: int, dash: int = 0) -> Series:
    """One way of reading along a curve from `curve_over_seeds`, against payload bits."""
    accuracy = [level["test_accuracy"][way] for level in levels]
    return Series(
        name=name,
        x=[level["payload_bits"] for level in levels],
        y=[100 * a["mean"] for a in accuracy],
        spread=[100 * (a["standard_deviation"] or 0) for a in accuracy],
        colour=colour,
        dash=dash,
    )


def effort(trained: Sequence[Train], store: Store, after: Sequence[Step] = ()) -> dict[str, Any]:
    """Epochs of each stage, hardware, and seconds a seed: of one processor thread, or of a GPU by the clock.

    `trained` are alike but for the seed; seconds include what was done `after` them.
    """
    chains = [[(step, _record(step, store)) for step in last.chain()] for last in trained]
    done = [record for chain in chains for _, record in chain] + [_record(step, store) for step in after]
    return {
        "epochs": {step.kind: record["figures"]["epochs"] for step, record in chains[0]},
        "hardware": sorted({_hardware(record) for record in done}),
        "seconds": round(sum(record["cpu_s"] for record in done) / len(trained), 1),
    }


def _record(step: Step, store: Store) -> Record:
    record = store.record(step)
    if record is None:
        raise LookupError(f"step not done: {step.title}")
    return record


def hardware(step: Step, store: Store) -> str:
    """What a step was done on."""
    return _hardware(_record(step, store))


def _hardware(record: Record) -> str:
    made_on = record["machine"]
    return f"{made_on['processor']}, {made_on['device']}"
