"""The figures of sweep points in a line or a table of text."""

from rich import box
from rich.table import Table

from fleet_sim.report import words
from fleet_sim.report.results import PointRow, Summary

# Shown by columns of their own, whether swept or not.
_SHOWN = {"link.budget_bps", "fleet.cameras"}


def bytes_of(bpp: float | None, pixels: int) -> float | None:
    """Mean bytes of a frame of `pixels` at `bpp` bits per pixel; None if nothing was sent."""
    return None if bpp is None else bpp * pixels / 8


def dropped_share(row: PointRow) -> float | None:
    """Frames dropped for any reason / offered; None if nothing was offered."""
    return sum(row["frames_dropped"].values()) / row["frames_offered"] if row["frames_offered"] else None


def image_size(summary: Summary) -> int:
    """Pixels a side of the run's images."""
    return int(str(summary["scenario"]["data"]["image_size"]))


def point_words(row: PointRow) -> str:
    """The figures of a point that matter most, in one line."""
    return (
        f"{words.percent(row['accuracy_on_time'])} right on time, "
        f"{words.percent(row['accuracy'])} of answered right, level {words.number(row['level_mean'], 2)}, "
        f"p95 {words.milliseconds(row['latency_ms']['p95'])}, {words.percent(dropped_share(row))} dropped"
    )


def closing_table(summary: Summary) -> Table:
    """A row for each point: what was swept, how much was seen, and at what cost."""
    rows = summary["points"]
    swept = [path for path in (rows[0]["sweep"] if rows else {}) if path not in _SHOWN]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), title=summary["name"], title_justify="left")
    for path in swept:
        table.add_column(words.title(path), justify="right")
    for heading in ("budget", "cameras"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("right\non time", justify="right", style="bold", no_wrap=True)
    for heading in (
        "right of\nanswered",
        "level",
        "bytes\na frame",
        "p50 / p95\nms",
        "dropped",
        "link\nused",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        latency = row["latency_ms"]
        table.add_row(
            *(words.value(path, row["sweep"][path]) for path in swept),
            words.bit_rate(row["budget_bps"]),
            words.number(row["cameras"]),
            words.percent(row["accuracy_on_time"]),
            words.percent(row["accuracy"]),
            words.number(row["level_mean"], 2),
            words.number(bytes_of(row["bpp_payload"], image_size(summary) ** 2), 1),
            f"{words.number(latency['p50'])} / {words.number(latency['p95'])}",
            words.percent(dropped_share(row)),
            words.percent(row["link_utilisation"]),
        )
    return table
