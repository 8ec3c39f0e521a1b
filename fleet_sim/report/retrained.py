"""What a run says of the heads that were retrained in it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import NotRequired, TypedDict, cast

from fleet_sim.codec.received import LEAST_CLASSES, LEAST_FRAMES
from fleet_sim.registry.lessons import Retrained
from fleet_sim.report import words


class RetrainedRow(TypedDict):
    """A head as it was taken up at a point, or was not, in its repetition of that number; see `Retrained`."""

    point: int
    repeat: int
    head: str
    version: str | None
    at_us: int
    frames: int
    classes: int
    alarm_us: int | None
    encoder: NotRequired[str]  # whose latents it reads, where there are several


def retrained_rows(
    point: int, repeat: int, heads: Sequence[Retrained], encoders: Sequence[str]
) -> list[RetrainedRow]:
    """A row a head and encoder, in order of time; `encoders`: their ids."""
    rows = []
    for head in heads:
        row = {"point": point, "repeat": repeat, **asdict(head)}
        place = row.pop("encoder")
        rows.append(row if place is None else row | {"encoder": encoders[place]})
    return cast(list[RetrainedRow], rows)


def retrained_words(rows: Sequence[RetrainedRow]) -> list[str]:
    """A sentence for each head of the first seed."""
    seeds = 1 + max((row["repeat"] for row in rows), default=0)
    first = f" (first of {seeds} seeds)" if seeds > 1 else ""
    return [f"head {_name(row)}: {_outcome(row)}{_after(row)}{first}" for row in rows if not row["repeat"]]


def _name(row: RetrainedRow) -> str:
    return row["head"] + (f" for encoder {row['encoder'][:8]}" if "encoder" in row else "")


def _outcome(row: RetrainedRow) -> str:
    at = words.moment(row["at_us"])
    if row["version"] is None:
        frames, classes = words.counted(row["frames"], "frame"), words.counted(row["classes"], "class")
        had = f"{frames} of {classes} had a label" if row["frames"] else "no frame had a label"
        return f"not retrained at {at}, {had} and {LEAST_FRAMES} of {LEAST_CLASSES} are needed"
    return f"retrained at {at} on {words.number(row['frames'])} received frames"


def _after(row: RetrainedRow) -> str:
    return "" if row["alarm_us"] is None else f", after the alarm at {words.moment(row['alarm_us'])}"
