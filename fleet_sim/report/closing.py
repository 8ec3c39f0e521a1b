"""The figures of sweep points in a line or a table of text."""

from rich import box
from rich.console import Console
from rich.table import Table

from fleet_sim.report import intervals, words
from fleet_sim.report.goodput import knee_words, knees
from fleet_sim.report.releases import release_words
from fleet_sim.report.results import PointRow, Summary
from fleet_sim.report.retrained import retrained_words
from fleet_sim.report.travels import travel_words
from fleet_sim.report.watch import alarm_words

SATURATED = 0.9  # busy share of servers from which their knee is worth a line
# Shown whether swept or not.
_SHOWN = {"budget": "link.budget_bps", "cameras": "fleet.cameras"}
_LEAST_FIRST = ("link\n%", "level", "drop/in\nflight %", "bytes a\nframe", "p50/p95\nms", "right\n%")
_WIDE = Console(width=10_000)


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


def closing_table(summary: Summary, width: int) -> Table:
    """A row for each point: what was swept, how much was seen, and at what cost.

    Columns that `width` characters do not hold are left out, those that tell least first, and named below.
    """
    rows = summary["points"]
    columns, left_out = _columns(summary), list[str]()
    swept = rows[0]["sweep"] if rows else {}
    alike = [name for name, path in _SHOWN.items() if path not in swept]
    for name in (*alike, *_LEAST_FIRST):
        if name in columns and _table(columns).__rich_measure__(_WIDE, _WIDE.options).maximum > width:
            del columns[name]
            left_out.append(name.replace("\n", " ").removesuffix(" %").removesuffix(" ms"))
    table = _table(columns)
    table.title, table.title_justify, table.caption_justify = summary["name"], "left", "left"
    table.caption = (
        "on time: right within the deadline / offered; right: right / answered\n"
        "in flight: neither answered nor dropped at the end"
    )
    if any("oracle" in row for row in rows):
        table.caption += "\nof the oracle: on time / on time of the best there could have been"
    if any(len(row.get("seeds", ())) > 1 for row in rows):
        table.caption += "\n±: half of the 95 % interval over seeds, which draw alike at all points"
    for row in rows:
        for line in alarm_words(row.get("alarm_s", {}), row.get("by_seed", {})):
            table.caption += f"\n{_at(row)}{line}"
    for line in (*travel_lines(summary), *retrained_lines(summary), *release_lines(summary)):
        table.caption += f"\n{line}"
    busiest = max((row["serving"]["utilisation"] or 0 for row in rows if "serving" in row), default=0)
    for knee in knees(rows) if busiest > SATURATED else ():
        table.caption += f"\n{knee_words(knee)}"
    if left_out:
        table.caption += f"\nleft out for want of room, but in the report: {', '.join(left_out)}"
    return table


def travel_lines(summary: Summary) -> list[str]:
    """A sentence for each encoder that travelled at each point."""
    return [f"{_at(row)}{line}" for row in summary["points"] for line in _travels(summary, row)]


def retrained_lines(summary: Summary) -> list[str]:
    """A sentence for each retrained head of each point."""
    heads = summary.get("retrained", [])
    return [
        f"{_at(row)}{line}"
        for row in summary["points"]
        for line in retrained_words([head for head in heads if head["point"] == row["point"]])
    ]


def release_lines(summary: Summary) -> list[str]:
    """A sentence for each release of each point."""
    releases = summary.get("releases", [])
    return [
        f"{_at(row)}{line}"
        for row in summary["points"]
        for line in release_words([release for release in releases if release["point"] == row["point"]])
    ]


def _columns(summary: Summary) -> dict[str, list[str]]:
    """A cell for each point, by the columns' headings."""
    rows = summary["points"]
    paths = [path for path in (rows[0]["sweep"] if rows else {}) if path not in _SHOWN.values()]
    columns: dict[str, list[str]] = {}
    for path in paths:
        title = words.title(path)
        columns[path if title in columns else title] = [words.value(path, row["sweep"][path]) for row in rows]
    columns["budget"] = [words.bit_rate(row["budget_bps"]) for row in rows]
    columns["cameras"] = [words.number(row["cameras"]) for row in rows]
    columns["on time\n%"] = [_percent(row, "accuracy_on_time") for row in rows]
    columns["right\n%"] = [_percent(row, "accuracy") for row in rows]
    columns["level"] = [intervals.number(row, "level_mean", 2) for row in rows]
    a_byte = image_size(summary) ** 2 / 8
    columns["bytes a\nframe"] = [intervals.number(row, "bpp_payload", 1, a_byte) for row in rows]
    columns["p50/p95\nms"] = [f"{_ms(row, 'p50')}/{_ms(row, 'p95')}" for row in rows]
    columns["drop/in\nflight %"] = [
        f"{_bare(words.percent(dropped_share(row)))}/{_bare(words.percent(flight_share(row)))}"
        for row in rows
    ]
    columns["link\n%"] = [_percent(row, "link_utilisation") for row in rows]
    if any("energy" in row for row in rows):
        columns["mJ a right\nframe"], columns["battery\ndays"] = map(
            list, zip(*map(_energy, rows), strict=True)
        )
    if any("oracle" in row for row in rows):
        columns["of the\noracle %"] = [_percent(row, "oracle_share") for row in rows]
    return columns


def _table(columns: dict[str, list[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    return table


def _percent(row: PointRow, name: str) -> str:
    return _bare(intervals.percent(row, name))


def _ms(row: PointRow, percentile: str) -> str:
    return intervals.number(row, f"latency_ms_{percentile}").replace(",", "")


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
