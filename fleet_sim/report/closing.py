"""The figures of sweep points in a line or a table of text."""

from rich import box
from rich.table import Table

from fleet_sim.report import intervals, words
from fleet_sim.report.goodput import knee_words, knees
from fleet_sim.report.releases import release_words
from fleet_sim.report.results import PointRow, Summary
from fleet_sim.report.retrained import retrained_words
from fleet_sim.report.travels import travel_words
from fleet_sim.report.watch import alarm_words

SATURATED = 0.9  # busy share of servers from which their knee is worth a line
# Shown by columns of their own, whether swept or not.
_SHOWN = {"link.budget_bps", "fleet.cameras"}


def bytes_of(bpp: float | None, pixels: int) -> float | None:
    """Mean bytes of a frame of `pixels` at `bpp` bits per pixel; None if nothing was sent."""
    return None if bpp is None else bpp * pixels / 8


def dropped_share(row: PointRow) -> float | None:
    """Frames dropped for any reason / offered; None if nothing was offered."""
    return sum(row["frames_dropped"].values()) / row["frames_offered"] if row["frames_offered"] else None


def flight_share(row: PointRow) -> float | None:
    """Frames neither answered nor dropped at the end / offered; large where servers cannot keep up."""
    return row["frames_in_flight"] / row["frames_offered"] if row["frames_offered"] else None


def image_size(summary: Summary) -> int:
    """Pixels a side of the run's images."""
    return int(str(summary["scenario"]["data"]["image_size"]))


def point_words(row: PointRow) -> str:
    """The figures of a point that matter most, in one line."""
    return (
        f"{words.percent(row['accuracy_on_time'])} on time, level {words.number(row['level_mean'], 2)}, "
        f"p95 {words.milliseconds(row['latency_ms']['p95'])}, {words.percent(dropped_share(row))} dropped"
    )


def closing_table(summary: Summary) -> Table:
    """A row for each point: what was swept, how much was seen, and at what cost."""
    rows = summary["points"]
    swept = [path for path in (rows[0]["sweep"] if rows else {}) if path not in _SHOWN]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=summary["name"])
    table.title_justify = "left"
    for path in swept:
        table.add_column(words.title(path), justify="right")
    for heading in ("budget", "cameras", "on time\n%", "right\n%", "level", "bytes a\nframe"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("p50/p95\nms", "drop/in\nflight %", "link\n%"):
        table.add_column(heading, justify="right", no_wrap=True)
    energy = any("energy" in row for row in rows)
    if energy:
        table.add_column("mJ a right\nframe", justify="right", no_wrap=True)
        table.add_column("battery\ndays", justify="right", no_wrap=True)
    oracle = any("oracle" in row for row in rows)
    if oracle:
        table.add_column("of the\noracle %", justify="right", no_wrap=True)
    for row in rows:
        p50, p95 = (intervals.number(row, f"latency_ms_{p}").replace(",", "") for p in ("p50", "p95"))
        table.add_row(
            *(words.value(path, row["sweep"][path]) for path in swept),
            words.bit_rate(row["budget_bps"]),
            words.number(row["cameras"]),
            _bare(intervals.percent(row, "accuracy_on_time")),
            _bare(intervals.percent(row, "accuracy")),
            intervals.number(row, "level_mean", 2),
            intervals.number(row, "bpp_payload", 1, image_size(summary) ** 2 / 8),
            f"{p50}/{p95}",
            f"{_bare(words.percent(dropped_share(row)))}/{_bare(words.percent(flight_share(row)))}",
            _bare(intervals.percent(row, "link_utilisation")),
            *(_energy(row) if energy else ()),
            *((_bare(intervals.percent(row, "oracle_share")),) if oracle else ()),
        )
    table.caption = (
        "on time: right within the deadline / offered; right: right / answered\n"
        "in flight: neither answered nor dropped at the end"
    )
    if oracle:
        table.caption += "\nof the oracle: on time / on time of the best there could have been"
    if any(len(row.get("seeds", ())) > 1 for row in rows):
        table.caption += "\n±: half of the 95 % interval over seeds, which draw alike at all points"
    for row in rows:
        retrained = [head for head in summary.get("retrained", []) if head["point"] == row["point"]]
        alarms = alarm_words(row.get("alarm_s", {}), row.get("by_seed", {}))
        for line in [*alarms, *retrained_words(retrained), *_travels(summary, row)]:
            table.caption += f"\n{_at(row)}{line}"
    for row in rows:
        for line in release_words([r for r in summary.get("releases", []) if r["point"] == row["point"]]):
            table.caption += f"\n{_at(row)}{line}"
    busiest = max((row["serving"]["utilisation"] or 0 for row in rows if "serving" in row), default=0)
    for knee in knees(rows) if busiest > SATURATED else ():
        table.caption += f"\n{knee_words(knee)}"
    table.caption_justify = "left"
    return table


def _at(row: PointRow) -> str:
    return f"{words.labels(row['sweep'])}: " if row["sweep"] else ""


def _travels(summary: Summary, row: PointRow) -> list[str]:
    """A line for each encoder that travelled at this point."""
    packed, encoders = summary.get("packed_bytes", []), summary["versions"]["encoders"]
    return [
        travel_words(
            [encoder["id"] for encoder in encoders[: int(number) + 1]],
            packed[int(number) - 1][travel["sent"]],
            travel,
            row["cameras"] * len(row.get("seeds", [0])),
        )
        for number, travel in row.get("air", {}).items()
    ]


def _energy(row: PointRow) -> tuple[str, str]:
    if "energy" not in row:
        return words.NOTHING, words.NOTHING
    joules = intervals.number(row, "energy_joules_a_right_frame", 2, 1000)
    return joules, intervals.number(row, "energy_battery_days", 1)


def _bare(percent: str) -> str:
    """A share in percent whose sign stands in the heading."""
    return percent.removesuffix(" %")
