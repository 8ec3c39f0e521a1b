"""The report: one file with everything in it, made of the files in a run's folder."""

import html
from pathlib import Path

import plotly.graph_objects as go
import yaml

from fleet_sim.report import figures, words
from fleet_sim.report.closing import release_lines, travel_lines
from fleet_sim.report.codecs import codecs_section
from fleet_sim.report.goodput import goodput, knee_words, knees
from fleet_sim.report.moments import over_time
from fleet_sim.report.oracle import nearness, oracle_words
from fleet_sim.report.page import embedded, page, section
from fleet_sim.report.releases_view import versions_figure
from fleet_sim.report.results import Results, Summary, check_complete, read_results, write_whole
from fleet_sim.report.retrained import retrained_words
from fleet_sim.report.tables import (
    groups_table,
    headline_tiles,
    heads_table,
    lead,
    machine_list,
    points_table,
    sentences,
    servers_table,
    versions_table,
)
from fleet_sim.report.watch import WatchedRow, of_first_seed, watched_figure


def write_html(folder: Path) -> Path:
    """Write report.html into the folder of a finished run and return its path; UserError if it is none."""
    results = read_results(folder)
    check_complete(folder, results.summary)
    text = page(
        results.summary["name"], lead(results.summary), headline_tiles(results.summary), _sections(results)
    )
    file = folder / "report.html"
    write_whole({file: lambda path: path.write_text(text, encoding="utf-8")})
    return file


def _sections(results: Results) -> list[str]:
    """The body of the page, from the result that matters most to how it was made."""
    summary, rows = results.summary, results.summary["points"]
    deadline_us = int(str(summary["scenario"]["serving"]["deadline_us"]))
    swept_deadline = any("serving.deadline_us" in row["sweep"] for row in rows)
    within = "the deadline" if swept_deadline else words.time(deadline_us)
    found = []
    if rows:
        few = (
            "" if len(rows) <= figures.MOST_ROWS else f" {figures.MOST_ROWS} of {len(rows)} points are shown."
        )
        found += [
            _figure(
                "How much the fleet sees in time",
                f"Of every 100 frames the cameras offer, so many are answered rightly within "
                f"{within} of capture. What is dropped, late or wrong counts against it.",
                "on-time",
                figures.on_time(rows),
                figures.heat_map(rows),
            ),
            _figure(
                "What a bit buys",
                "Each curve is a classifier on the server reading the same frames at every level, the lowest "
                "at the left. A higher curve sees more in the same bits. Diamonds are the sweep's points: "
                "mean bits of the frames they sent, and how many of the answers were right. A point lies "
                "below its curve where its frames differ much in level.",
                "rate",
                figures.rate(summary),
            ),
            _figure(
                "What became of every frame",
                "Each bar is all frames offered at one point. Blue was seen; grey was answered wrongly; "
                f"other colours never reached an answer, by reason.{_whisker(summary)}{few}",
                "fates",
                figures.fates(rows),
            ),
            _figure(
                "How long an answer takes",
                "From capture to answer, frames dropped on the way not counted. Dots beyond the red mark are "
                f"answers too late to use.{few}",
                "latency",
                figures.latency(rows, deadline_us),
            ),
        ]
    if (near := nearness(rows)) is not None:
        found.append(
            section(
                "How near to the best there could be",
                "The black mark is what an oracle gets that knows the whole link, every frame to come, its "
                "bits at every level and how likely it will be answered right there, but not the answers. "
                + oracle_words(rows[0]),
                embedded("oracle", near),
            )
        )
    if (against_load := goodput(rows)) is not None:
        found.append(
            section(
                "How much load is borne",
                "Frames answered rightly within the deadline against all that are offered, each a second. "
                "Below the knee nearly every further frame is answered in time; beyond it goodput should "
                "stay where it is, not fall. " + ". ".join(knee_words(knee) for knee in knees(rows)) + ".",
                embedded("goodput", against_load),
            )
        )
    if rows and results.timeline:
        found.append(_moments(results))
    if (codecs := codecs_section(summary)) is not None:
        found.insert(0, codecs)
    found.append(
        section(
            "All points", "Figures of every sweep point; points.parquet has them all.", points_table(summary)
        )
    )
    if watched := [row for row in summary.get("watched", []) if row["point"] == 0]:
        found.append(_noticed(watched, summary))
    if servers := servers_table(summary):
        found.append(
            section(
                "What the servers did",
                "Busy is service time over the time in which replicas could work; the wait is from a frame's "
                "arrival to the start of its batch; latencies are from capture to answer.",
                servers,
            )
        )
    if results.versions:
        found.append(_versions(results))
    if groups := groups_table(summary):
        found.append(section("By group of cameras", "The same figures, group by group.", groups))
    if heads := heads_table(summary):
        found.append(
            section(
                "What each head was worth",
                "Heads that answered in turn, or side by side for a share of the cameras each. Only those "
                "side by side read the same levels at the same times.",
                heads,
            )
        )
    scenario = html.escape(yaml.safe_dump(summary["scenario"], sort_keys=False, allow_unicode=True))
    found.append(
        section(
            "How this was made",
            "Runs with the same digest counted the same frames, bits and answers.",
            f"{machine_list(summary)}<h3>Versions</h3>{versions_table(summary)}"
            f"<details><summary>The scenario, every field</summary><pre>{scenario}</pre></details>",
        )
    )
    return found


def _noticed(watched: list[WatchedRow], summary: Summary) -> str:
    first = summary["points"][0]
    where = f" At the first point, {words.labels(first['sweep'])}." if first["sweep"] else ""
    heads = retrained_words([row for row in summary.get("retrained", []) if row["point"] == first["point"]])
    alarms = of_first_seed(first.get("alarm_s", {}), first.get("by_seed", {}))
    learned = "".join(f" {sentence[0].upper()}{sentence[1:]}." for sentence in heads)
    return section(
        "What the servers noticed by themselves",
        "Above, mean bits of a frame beyond what the version's tables expect, which needs no labels; below, "
        "the share of right answers, which servers do not know. Dotted: a group's first alarm."
        f"{where}{learned}{_first_seed(summary)}",
        embedded("watched", watched_figure(watched, alarms)),
    )


def _versions(results: Results) -> str:
    figure, shown, there_are = versions_figure(results.summary, results.versions)
    few = "" if shown == there_are else f" {shown} of {there_are} panels are shown; versions.parquet has all."
    return section(
        "Who was answered by what",
        f"The share of the answers of each second by each version. A release reaches more and more cameras "
        f"until it is through, or none any more once it is taken back.{few}{_first_seed(results.summary)}",
        embedded("versions", figure)
        + sentences([*travel_lines(results.summary), *release_lines(results.summary)]),
    )


def _moments(results: Results) -> str:
    """The figure over time with a choice of points."""
    figure, points, traces = over_time(results.summary, results.timeline)
    labels = {row["point"]: words.labels(row["sweep"]) for row in results.summary["points"]}
    options = "".join(f"<option>{html.escape(labels[point])}</option>" for point in points)
    chooser = (
        f'<select data-figure="moments" data-traces="{traces}" aria-label="Point shown" autocomplete="off">'
        f"{options}</select>"
    )
    return section(
        "From second to second",
        "The level shows how much of each frame the budget leaves; accuracy follows it. Dotted lines mark a "
        "new version or another head; the gap between offered and right on time is what the fleet misses."
        f"{_first_seed(results.summary)}",
        (chooser if len(points) > 1 else "") + embedded("moments", figure),
    )


def _seeds(summary: Summary) -> int:
    return max((len(row.get("seeds", ())) for row in summary["points"]), default=1)


def _first_seed(summary: Summary) -> str:
    return f" Shown is the first of {seeds} seeds." if (seeds := _seeds(summary)) > 1 else ""


def _whisker(summary: Summary) -> str:
    if (seeds := _seeds(summary)) < 2:
        return ""
    return f" The whisker is the 95 % interval of what was right on time over {seeds} seeds; parts are means."


def _figure(title: str, caption: str, name: str, *shown: go.Figure | None) -> str:
    parts = [embedded(f"{name}-{i}", figure) for i, figure in enumerate(shown) if figure is not None]
    return section(title, caption, "".join(parts))
