"""The files of a run: summary.json, points.parquet and timeline.parquet, written whole or not at all."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import pyarrow as pa
import pyarrow.parquet as pq

from fleet_sim.basics.errors import UserError
from fleet_sim.registry.ladder import Rung
from fleet_sim.report.releases import ReleaseRow, VersionRow
from fleet_sim.report.retrained import RetrainedRow
from fleet_sim.report.travels import TravelRow
from fleet_sim.report.watch import WatchedRow

Swept = dict[str, str | int | float | None]


class GroupRow(TypedDict):
    """The figures of a group of cameras at one point."""

    accuracy: float | None
    accuracy_on_time: float | None
    level_mean: float | None
    bpp_payload: float | None
    frames_offered: int
    frames_answered: int
    frames_right_on_time: int
    frames_dropped: int


class HeadFigures(TypedDict):
    """What a head's answers at one point were worth."""

    frames_answered: int
    accuracy: float | None
    right_on_time_of_answered: float | None


class ServingRow(TypedDict):
    """What the servers did at one point; rates are frames a second."""

    offered_per_s: float
    goodput_per_s: float
    on_time_per_s: float
    utilisation: float | None
    replicas: float
    batch_mean: float | None
    queue_wait_ms: float | None
    frames_redone: int


class EnergyRow(TypedDict):
    """What cameras of a point took, where they have a processor; see report.energy."""

    picojoules: dict[str, int]
    joules_a_right_frame: float | None
    battery_days: float | None
    battery_days_least: float | None
    bytes_a_month: float
    eur_a_month: float


class OracleRow(TypedDict):
    """How near a point came to the best there could have been."""

    accuracy_on_time: float  # of the oracle's plan
    share: float | None  # of it that was reached
    expects: float  # of its plan, before answers are known


class OracleOf(TypedDict):
    """Which oracle it was."""

    kind: str  # link: exact, of a camera alone; cell: a bound
    cells: list[int]  # where it was asked


class PointRow(TypedDict):
    """The figures of one sweep point; None where nothing was sent or answered."""

    point: int
    sweep: Swept
    cameras: int
    cells: int
    budget_bps: int
    duration_us: int
    accuracy: float | None
    accuracy_on_time: float | None
    level_mean: float | None
    bpp_ideal: float | None
    bpp_payload: float | None
    bpp_wire: float | None
    frames_offered: int
    frames_answered: int
    frames_dropped: dict[str, int]
    frames_in_flight: int
    latency_ms: dict[str, float | None]
    link_utilisation: float | None
    cell_wire_bps_max: int
    wall_s: float
    serving: NotRequired[ServingRow]
    heads: NotRequired[dict[str, HeadFigures]]
    energy: NotRequired[EnergyRow]
    oracle: NotRequired[OracleRow]
    oracle_of: NotRequired[OracleOf]
    seeds: NotRequired[list[int]]
    by_seed: NotRequired[dict[str, list[float | None]]]
    interval: NotRequired[dict[str, float | None]]
    groups: NotRequired[dict[str, GroupRow]]
    alarm_s: NotRequired[dict[str, dict[str, float | None]]]
    air: NotRequired[dict[str, TravelRow]]


class TimelineRow(TypedDict):
    """What happened in one virtual second of a point, in all cells (cell -1) or in one."""

    point: int
    second: int
    cell: int
    encoder: str
    head: str
    offered: int
    sent: int
    level_sum: int
    answered: int
    right: int
    right_on_time: int


class EncoderRow(TypedDict):
    """An encoder of the run, with the virtual time of its publication and the ids of its heads by name."""

    id: str
    recipe: str
    at_us: int
    heads: dict[str, str]


class Summary(TypedDict):
    """What summary.json holds."""

    name: str
    digest: str
    complete: NotRequired[bool]
    seed: int
    scenario: dict[str, dict[str, object]]
    versions: dict[str, list[EncoderRow]]
    machine: dict[str, str | int | float | None]
    ladder: list[Rung]
    points: list[PointRow]
    audit: NotRequired[dict[str, int]]
    retrained: NotRequired[list[RetrainedRow]]
    watched: NotRequired[list[WatchedRow]]
    releases: NotRequired[list[ReleaseRow]]
    packed_bytes: NotRequired[list[dict[str, list[int]]]]
    wall_s: dict[str, float]


_POINT_KEYS = PointRow.__required_keys__


@dataclass(frozen=True)
class Results:
    """A finished run, read back."""

    summary: Summary
    timeline: list[TimelineRow]
    versions: list[VersionRow] = field(default_factory=list)  # none where nothing was released in waves


def write_results(
    folder: Path,
    summary: Mapping[str, object],
    points: Sequence[Mapping[str, object]],
    timeline: Sequence[Mapping[str, object]],
    versions: Sequence[VersionRow] = (),
) -> None:
    """Write the files of a run into `folder`, which exists; summary.json last: with it a run is finished.

    versions.parquet is there only where there are releases.
    In points.parquet nested fields are joined with ``_`` and swept fields are called ``sweep.<path>``. Raises
    ValueError on NaN; whatever is raised, no file is left half written.
    """
    writers: dict[str, Callable[[Path], object]] = {
        "points.parquet": lambda file: pq.write_table(_table([_flat(row) for row in points]), file),
        "timeline.parquet": lambda file: pq.write_table(_table(timeline), file),
    }
    if versions:
        writers["versions.parquet"] = lambda file: pq.write_table(_table(versions), file)
    writers["summary.json"] = lambda file: file.write_text(_json(summary), encoding="utf-8")
    write_whole({folder / name: write for name, write in writers.items()})


def write_json(file: Path, value: object) -> None:
    """Write `value` as JSON, whole or not at all; ValueError on NaN."""
    write_whole({file: lambda path: path.write_text(_json(value), encoding="utf-8")})


def write_whole(writers: dict[Path, Callable[[Path], object]]) -> None:
    """Call each writer with a temporary name, then give the files their names, in this order."""
    partial = {path: path.with_name(f".{path.name}.partial") for path in writers}
    try:
        for path, write in writers.items():
            write(partial[path])
        for path, temporary in partial.items():
            os.replace(temporary, path)
    finally:
        for temporary in partial.values():
            temporary.unlink(missing_ok=True)


def read_results(folder: Path) -> Results:
    """The results of the run in `folder`; UserError if it is no finished run."""
    file = folder / "summary.json"
    try:
        summary = cast(Summary, json.loads(file.read_text(encoding="utf-8")))
        timeline = cast(list[TimelineRow], pq.read_table(folder / "timeline.parquet").to_pylist())
        versions: list[VersionRow] = []
        if (folder / "versions.parquet").exists():
            versions = cast(list[VersionRow], pq.read_table(folder / "versions.parquet").to_pylist())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder}: no summary.json and timeline.parquet of a finished run there") from None
    except (json.JSONDecodeError, UnicodeDecodeError, pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{folder}: its results cannot be read: {error}") from None
    if not isinstance(summary, dict):
        raise UserError(f"{folder}: its results cannot be read: summary.json is no mapping")
    return Results(summary, timeline, versions)


def check_complete(folder: Path, summary: Summary) -> None:
    """UserError where the summary of `folder` lacks what a report is made of."""
    lacking = Summary.__required_keys__ - summary.keys()
    lacking |= {f"points.{key}" for row in summary.get("points", []) for key in _POINT_KEYS - row.keys()}
    releases, keys = summary.get("releases", []), ReleaseRow.__required_keys__
    lacking |= {f"releases.{key}" for release in releases for key in keys - release.keys()}
    if lacking:
        names = ", ".join(sorted(lacking))
        raise UserError(f"{folder}: its results cannot be read: summary.json lacks {names}")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    """`row` with the keys of nested mappings joined: by ``.`` below sweep, by ``_`` elsewhere."""
    flat: dict[str, object] = {}
    for name, what in row.items():
        if isinstance(what, Mapping):
            joint = "." if name == "sweep" else "_"
            flat |= {f"{name}{joint}{key}": inner for key, inner in what.items()}
        else:
            flat[name] = what
    return flat


def _table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: [row.get(name) for row in rows] for name in names})
