"""Counts as the figures a reader wants."""

from collections.abc import Sequence

import numpy as np

from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import COLUMNS, DROP_REASONS, LATENCY_EDGES_US, Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.network.capacity import capacity_bits

Row = dict[str, object]


def quantile_us(latency_B: np.ndarray, share: float) -> int | None:
    """Upper edge of the bin up to which at least `share` of the answers lie (at most 4.5 % too high).

    None when nothing was answered; the first edge for answers below it, the last for those beyond.
    """
    total = int(latency_B.sum())
    if total == 0:
        return None
    place = int(np.searchsorted(np.cumsum(latency_B), share * total))
    return int(LATENCY_EDGES_US[min(place, len(LATENCY_EDGES_US) - 1)])


def ratio(part: int | float, whole: int | float) -> float | None:
    """part / whole rounded to 6 places, None when there is nothing to divide by."""
    return round(float(part) / float(whole), 6) if whole else None


def point_figures(counts: Counts, fleet: Fleet, pixels: int) -> Row:
    """The figures of one sweep point; `pixels` are those of one image."""
    total = {name: int(value) for name, value in zip(COLUMNS, counts.total_C, strict=True)}
    sent = total["sent"]
    latency_B = counts.latency_VB.sum(axis=0)
    quantiles = {f"p{p}": quantile_us(latency_B, p / 100) for p in (50, 95, 99, 99.9)}
    # Rounded down: a cell at its budget must not read as one above it.
    busiest_bps = int(counts.wire_bits_by_cell.max()) * 1_000_000 // fleet.duration_us
    return {
        "cameras": fleet.cameras,
        "cells": fleet.cells,
        "budget_bps": fleet.link.budget_bps,
        "duration_us": fleet.duration_us,
        "accuracy": ratio(total["right"], total["answered"]),
        "accuracy_on_time": ratio(total["right_on_time"], total["offered"]),
        "level_mean": ratio(total["level_sum"], sent),
        "bpp_ideal": ratio(total["ideal_millibits"], 1000 * sent * pixels),
        "bpp_payload": ratio(total["payload_bits"], sent * pixels),
        "bpp_wire": ratio(total["wire_bits"], sent * pixels),
        "frames_offered": total["offered"],
        "frames_sent": sent,
        "frames_answered": total["answered"],
        "frames_right": total["right"],
        "frames_right_on_time": total["right_on_time"],
        "frames_on_time": total["on_time"],
        "frames_dropped": {reason: total[f"dropped_{reason}"] for reason in DROP_REASONS},
        "frames_in_flight": counts.in_flight,
        "payload_bits": total["payload_bits"],
        "wire_bits": total["wire_bits"],
        "packets": total["packets"],
        "packets_lost": total["packets_lost"],
        "level_sum": total["level_sum"],
        "latency_us_sum": total["latency_us_sum"],
        "latency_ms": {name: None if us is None else us / 1000 for name, us in quantiles.items()},
        "link_utilisation": ratio(
            total["wire_bits"], capacity_bits(fleet.link, fleet.seed, fleet.cells, fleet.duration_us)
        ),
        "cell_wire_bps_max": busiest_bps,
    }


def group_figures(counts: Counts, names: Sequence[str], pixels: int) -> Row:
    """The figures of each group of cameras, by name; empty where all cameras are alike."""
    found: Row = {}
    for name, group_SC in zip(names, counts.groups_GSC, strict=True):
        total = {column: int(value) for column, value in zip(COLUMNS, group_SC.sum(axis=0), strict=True)}
        found[name] = {
            "accuracy": ratio(total["right"], total["answered"]),
            "accuracy_on_time": ratio(total["right_on_time"], total["offered"]),
            "level_mean": ratio(total["level_sum"], total["sent"]),
            "bpp_payload": ratio(total["payload_bits"], total["sent"] * pixels),
            "frames_offered": total["offered"],
            "frames_answered": total["answered"],
            "frames_right_on_time": total["right_on_time"],
            "frames_dropped": sum(total[f"dropped_{reason}"] for reason in DROP_REASONS),
        }
    return found


TIMELINE = ("offered", "sent", "level_sum", "payload_bits", "wire_bits", "answered", "right", "right_on_time")


def timeline_rows(counts: Counts, named: tuple[int, ...]) -> list[Row]:
    """A row a virtual second for all cells (cell -1), then for each named cell."""
    columns = [*TIMELINE, "latency_us_sum", *(f"dropped_{reason}" for reason in DROP_REASONS)]
    tables = [(-1, counts.by_second_VSC.sum(axis=0)), *zip(named, counts.cells_KSC, strict=True)]
    return [
        {"second": second, "cell": cell, **{name: int(row_C[COLUMNS.index(name)]) for name in columns}}
        for cell, table_SC in tables
        for second, row_C in enumerate(table_SC)
    ]


def metric_counts(delta_C: np.ndarray) -> dict[str, int]:
    """A (C,) part of counts under the names that the metrics use, with answers split by outcome."""
    counts = {name: int(value) for name, value in zip(COLUMNS, delta_C, strict=True)}
    return {
        **{name: counts[name] for name in ("offered", "sent", "payload_bits", "wire_bits", "level_sum")},
        "right_on_time": counts["right_on_time"],
        "right_late": counts["right"] - counts["right_on_time"],
        "wrong": counts["answered"] - counts["right"],
        "latency_us_sum": int(delta_C[c.LATENCY_US_SUM]),
        **{f"dropped_{reason}": counts[f"dropped_{reason}"] for reason in DROP_REASONS},
    }
