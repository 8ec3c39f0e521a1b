"""From counts to the rows and figures that a run writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from fleet_sim.engine.best import Best
from fleet_sim.engine.counts import OFFERED, RIGHT_ON_TIME, Counts
from fleet_sim.engine.digest import digest
from fleet_sim.engine.figures import Row, group_figures, point_figures, ratio, timeline_rows
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.work import serving_figures
from fleet_sim.registry.lessons import Retrained
from fleet_sim.report.energy import energy_figures
from fleet_sim.report.goodput import knees
from fleet_sim.report.releases import VersionRow, in_force, release_rows, version_rows
from fleet_sim.report.results import PointRow
from fleet_sim.report.retrained import retrained_rows
from fleet_sim.report.seeds import together
from fleet_sim.report.travels import travel_rows
from fleet_sim.report.watch import alarm_times_s, watched_rows
from fleet_sim.scenario import Point, Scenario, digest_fields, heads_by_time, update_times_us
from fleet_sim.scenario.allocating import told_bits
from fleet_sim.scenario.work import radio_of, rates_of

SHORT_ID = 12


@dataclass(frozen=True)
class Outcome:
    """A simulated sweep point."""

    point: Point
    fleet: Fleet
    counts: Counts
    wall_s: float
    classes: int = 0  # that a head tells apart
    retrained: tuple[Retrained, ...] = ()  # heads, in order of time, also those that came to nothing
    best: Best | None = None  # there could have been, where report.oracle asks for it

    @property
    def taken_up(self) -> list[tuple[int, str]]:
        """(from when in microseconds, name) of the retrained heads that it has taken up."""
        return list(dict.fromkeys((head.at_us, head.head) for head in self.retrained if head.version))

    def reads(self, head: str, encoder: int) -> bool:
        """Whether a head reads an encoder, by its place: one that was retrained, those it was made for."""
        made = [one for one in self.retrained if one.head == head and one.version]
        return not made or any(one.encoder in (None, encoder) for one in made)


def summary_of(
    scenario: Scenario, scenes_hash: str, deployed: Sequence[dict[str, Any]], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """What summary.json says of the simulation; `deployed` are versions: `encoder` id, `heads` by name."""
    from_us = [0, *update_times_us(scenario)]
    depends_on = {
        "points": [digest_fields(outcome.point.scenario) for outcome in outcomes],
        "scenes": scenes_hash,
        "versions": deployed,
    }
    retrained = [
        row
        for outcome in outcomes
        for row in retrained_rows(
            outcome.point.index,
            outcome.point.repeat,
            outcome.retrained,
            [version["encoder"] for version in deployed],
        )
    ]
    if retrained:
        depends_on["retrained"] = retrained
    watched = [
        row
        for outcome in outcomes
        if not outcome.point.repeat
        for row in watched_rows(outcome.point.index, outcome.point.scenario, outcome.counts)
    ]
    releases = [
        row
        for outcome in outcomes
        for row in release_rows(
            outcome.point.index,
            outcome.point.scenario,
            outcome.counts,
            [version["encoder"] for version in deployed],
            outcome.taken_up,
            outcome.point.repeat,
        )
    ]
    rows = point_rows(outcomes)
    return {
        "name": scenario.name,
        "digest": digest(depends_on, [outcome.counts for outcome in outcomes]),
        "seed": scenario.seed,
        "scenario": scenario.model_dump(mode="json"),
        "versions": {
            "encoders": [
                {"id": version["encoder"], "recipe": recipe, "at_us": at_us, "heads": version["heads"]}
                for version, recipe, at_us in zip(deployed, scenario.train.recipes, from_us, strict=False)
            ],
        },
        **({"retrained": retrained} if retrained else {}),
        **({"watched": watched} if watched else {}),
        **({"releases": releases} if releases else {}),
        "points": rows,
        "knees": knees(cast(list[PointRow], rows)),
    }


def point_rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """The rows of summary.json and points.parquet: one a point, over all its seeds; `outcomes` in order."""
    by_point: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_point.setdefault(outcome.point.index, []).append(outcome)
    return [point_row(repeats) for repeats in by_point.values()]


def point_row(repeats: Sequence[Outcome]) -> Row:
    """The row of a point from its simulations, one for each seed."""
    point = repeats[0].point
    figures = [_figures(outcome) for outcome in repeats]
    return {
        "point": point.index,
        "sweep": point.values,
        **together(figures, [outcome.point.scenario.seed for outcome in repeats]),
        "heads": _heads(repeats),
        **_oracle_of(repeats[0]),
        "wall_s": round(sum(outcome.wall_s for outcome in repeats), 3),
    }


def _figures(outcome: Outcome) -> Row:
    scenario = outcome.point.scenario
    pixels = scenario.data.image_size**2
    found = point_figures(outcome.counts, outcome.fleet, pixels)
    found["serving"] = serving_figures(outcome.counts, outcome.fleet)
    rates = rates_of(scenario, outcome.classes)
    if rates is not None:
        eur_per_mb, battery_wh = radio_of(scenario).eur_per_mb, scenario.camera.battery_wh
        found["energy"] = energy_figures(outcome.counts, outcome.fleet, rates, battery_wh, eur_per_mb)
    if names := [group.name for group in scenario.fleet.groups]:
        found["groups"] = group_figures(outcome.counts, names, pixels)
    if scenario.control.allocation != "equal":
        per_s = told_bits(scenario) * 1_000_000 / scenario.control.period_us
        found["allocation"] = {"downlink_bps": round(per_s, 3)}
    if outcome.best is not None:
        reached = outcome.counts.total_C[RIGHT_ON_TIME] / max(1, outcome.counts.total_C[OFFERED])
        found["oracle"] = {
            "accuracy_on_time": round(outcome.best.on_time_accuracy, 6),
            "share": ratio(reached, outcome.best.on_time_accuracy),
            "expects": round(outcome.best.worth, 6),
        }
    if scenario.air:
        found["air"] = travel_rows(outcome.counts, outcome.fleet, scenario.air.send, rates)
    if alarms := alarm_times_s(scenario, outcome.counts):
        found["alarm_s"] = alarms
    return found


def _oracle_of(outcome: Outcome) -> Row:
    """What the oracle was asked for; in many cells it is some."""
    if outcome.best is None:
        return {}
    return {"oracle_of": {"kind": outcome.best.kind, "cells": list(outcome.best.cells)}}


def _heads(repeats: Sequence[Outcome]) -> Row:
    """What the answers of each head were worth, all seeds together."""
    names = [head.name for head in repeats[0].point.scenario.heads]
    total_HC = sum(outcome.counts.by_head_HC for outcome in repeats)
    return {
        name: {
            "frames_answered": answered,
            "accuracy": ratio(right, answered),
            "right_on_time_of_answered": ratio(right_on_time, answered),
        }
        for name, (answered, right, right_on_time) in zip(names, np.asarray(total_HC).tolist(), strict=True)
    }


def timeline_of(outcome: Outcome, encoders: Sequence[str]) -> list[Row]:
    """The rows of timeline.parquet, with the encoder and the head that reads it in force as a second starts.

    Of those released in waves: the ones that went through last.
    """
    scenario = outcome.point.scenario
    at_once = [(at_us, place) for place, at_us in enumerate([0, *update_times_us(scenario)])]
    by_time = at_once[: len(encoders)], heads_by_time(scenario, outcome.taken_up)
    if scenario.rollout:
        by_time = in_force(scenario, outcome.counts, outcome.taken_up)
    (encoder_from_us, places), (head_from_us, heads) = (zip(*part, strict=True) for part in by_time)
    rows = []
    for row in timeline_rows(outcome.counts, scenario.report.cells):
        now_us = int(str(row["second"])) * 1_000_000
        encoder, head = places[_last_at(encoder_from_us, now_us)], _last_at(head_from_us, now_us)
        while not outcome.reads(heads[head], encoder):  # then the one before stands in
            head -= 1
        rows.append(
            {
                "point": outcome.point.index,
                "profile": scenario.link.profile,
                "encoder": encoders[encoder][:SHORT_ID],
                "head": heads[head],
                **row,
            }
        )
    return rows


def versions_of(outcome: Outcome, encoders: Sequence[str]) -> list[VersionRow]:
    """The rows of versions.parquet."""
    short = [encoder[:SHORT_ID] for encoder in encoders]
    return version_rows(outcome.point.index, outcome.point.scenario, outcome.counts, short)


def _last_at(from_us: Sequence[int], now_us: int) -> int:
    return int(np.searchsorted(from_us, now_us, side="right")) - 1
