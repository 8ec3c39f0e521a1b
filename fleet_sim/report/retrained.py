"""What a run says of the heads that were retrained in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TypedDict, cast

from fleet_sim.registry.lessons import Retrained
from fleet_sim.report import words


class RetrainedRow(TypedDict):
    """A head as it was taken up at a point, in its repetition of that number; see `Retrained`."""

    point: int
    repeat: int
    head: str
    version: str
    at_us: int
    frames: int
    alarm_us: int | None


def retrained_rows(point: int, repeat: int, heads: Sequence[Retrained]) -> list[RetrainedRow]:
    """A row a head, in order of time."""
    return [cast(RetrainedRow, {"point": point, "repeat": repeat, **asdict(head)}) for head in heads]


def retrained_words(rows: Sequence[RetrainedRow]) -> list[str]:
    """A sentence for each head of the first seed."""
    return [
        f"head {row['head']}: retrained at {words.time(row['at_us'])} on "
        f"{words.number(row['frames'])} received frames{_after(row)}"
        for row in rows
        if not row["repeat"]
    ]


def _after(row: RetrainedRow) -> str:
    return "" if row["alarm_us"] is None else f", after the alarm at {words.time(row['alarm_us'])}"
