"""What became of every release, and who was answered by what from second to second."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TypedDict

import numpy as np

from fleet_sim.engine.counts import Counts
from fleet_sim.registry.rollout import EVERYONE_PPM, Change
from fleet_sim.report import words
from fleet_sim.scenario import Planned, Scenario, releases_of

EVERYONE = "all cameras"
SHORT = 8  # digits of an id, where a reader needs no more
ENDS = {
    Change.THROUGH: "through",
    Change.BACK_WORSE: "taken back as worse",
    Change.BACK_FAILED: "taken back as installs failed",
}
# All that a guard without labels knows, of a head and of an encoder:
DISAGREES = "taken back as it agrees with the head before less than stated"
DEPARTS = "taken back as its messages depart from what was stated, and those of the encoder before less"


class ReleaseEvent(TypedDict):
    """A release begins, reaches a larger share of the cameras, is through or taken back."""

    at_s: float
    what: str
    share: float


class ReleaseRow(TypedDict):
    """A release at one point, with its seed of that number; `share`: of the cameras, the most that had it."""

    point: int
    repeat: int
    release: str
    begun_s: float | None
    ended_s: float | None
    end: str | None
    share: float
    events: list[ReleaseEvent]


class VersionRow(TypedDict):
    """Answers of a second by encoder and head, for a group of cameras; their labels, where there are any."""

    point: int
    group: str
    second: int
    encoder: str
    head: str
    answered: int
    labels: int
    labels_right: int


def release_rows(
    point: int,
    scenario: Scenario,
    counts: Counts,
    encoders: Sequence[str] = (),
    retrained: Sequence[tuple[int, str]] = (),
    repeat: int = 0,
) -> list[ReleaseRow]:
    """A row a release, by number; `encoders`: ids of those that are there.

    `retrained`: from when there were which heads that were not at first.
    """
    found: list[ReleaseRow] = []
    for number, release in enumerate(releases_of(scenario, retrained)):
        ends = _ends(scenario, release)
        log = [(us / 1e6, Change(what), ppm / EVERYONE_PPM) for _, us, what, ppm in _events(counts, number)]
        ended_s, last, _ = log[-1] if log else (None, Change.BEGUN, 0.0)
        found.append(
            {
                "point": point,
                "repeat": repeat,
                "release": _name(release, encoders),
                "begun_s": log[0][0] if log else None,
                "ended_s": ended_s if last in ENDS else None,
                "end": ends.get(last),
                "share": max((share for *_, share in log), default=0.0),
                "events": [
                    {"at_s": at_s, "what": ends.get(what, what.name.lower()), "share": share}
                    for at_s, what, share in log
                ],
            }
        )
    return found


def version_rows(point: int, scenario: Scenario, counts: Counts, encoders: Sequence[str]) -> list[VersionRow]:
    """A row for each that answered in a second; none without releases."""
    groups = [group.name for group in scenario.fleet.groups] or [EVERYONE]
    heads = [head.name for head in scenario.heads]
    answers_GVHS3 = counts.answers_GVHS3
    return [
        {
            "point": point,
            "group": groups[g],
            "second": s,
            "encoder": encoders[v],
            "head": heads[h],
            "answered": answered,
            "labels": labels,
            "labels_right": right,
        }
        for g, v, h, s in np.argwhere(answers_GVHS3[..., 0]).tolist()
        for answered, labels, right in [answers_GVHS3[g, v, h, s].tolist()]
    ]


def in_force(
    scenario: Scenario, counts: Counts, retrained: Sequence[tuple[int, str]] = ()
) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
    """(from when in microseconds, encoder by its place), the same of heads: from 0 on those through last."""
    encoders, heads = [(0, 0)], [(0, scenario.serving.head)]
    releases = releases_of(scenario, retrained)
    for number, at_us, what, _ in sorted(counts.events_E4.tolist(), key=lambda event: event[1]):
        plan = releases[number]
        if what == Change.THROUGH and plan.head is None:
            encoders.append((at_us, plan.version))
        elif what == Change.THROUGH:
            heads.append((at_us, plan.head))
    return encoders, heads


def release_words(rows: Sequence[ReleaseRow]) -> list[str]:
    """A sentence for each release of a point with its first seed, in order of time; how many ended alike."""
    by_seed = [list(of_seed) for _, of_seed in groupby(rows, key=lambda row: row["repeat"])]
    told: list[tuple[float, str]] = []
    for number, row in enumerate(by_seed[0] if by_seed else ()):
        others = [of_seed[number] for of_seed in by_seed if number < len(of_seed)]
        alike = sum(other["end"] == row["end"] for other in others)
        seeds = f" (first of {len(by_seed)} seeds, {alike} ended so)" if len(by_seed) > 1 else ""
        begun_s = math.inf if row["begun_s"] is None else row["begun_s"]
        told.append((begun_s, f"{row['release']}: {_fate(row)}{seeds}"))
    return [sentence for _, sentence in sorted(told, key=lambda pair: pair[0])]


def _name(release: Planned, encoders: Sequence[str]) -> str:
    if release.head is None and release.version < len(encoders):
        return f"encoder {encoders[release.version][:SHORT]}"
    return release.name


def _fate(row: ReleaseRow) -> str:
    if row["begun_s"] is None:
        return "not begun"
    begun = f"begun at {words.moment(1e6 * row['begun_s'])}"
    cameras = f"{words.percent(row['share'], 0)} of the cameras"
    # Heads are at all of these cameras; not every one that an encoder is sent to has it yet.
    still, had = (
        ("on its way to", "was sent to") if row["release"].startswith("encoder") else ("at", "had reached")
    )
    if row["ended_s"] is None:
        return f"{begun}, still {still} {cameras} at the end"
    ended = f"{begun}, {row['end']} at {words.moment(1e6 * row['ended_s'])}"
    return ended if row["end"] == ENDS[Change.THROUGH] else f"{ended}, {had} {cameras}"


def _ends(scenario: Scenario, release: Planned) -> dict[Change, str]:
    if not scenario.unlabelled:
        return ENDS
    return ENDS | {Change.BACK_WORSE: DEPARTS if release.head is None else DISAGREES}


def _events(counts: Counts, number: int) -> list[list[int]]:
    events: list[list[int]] = counts.events_E4[counts.events_E4[:, 0] == number].tolist()
    return events
