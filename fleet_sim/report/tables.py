"""The parts of the report that are numbers and text."""

import html
from collections.abc import Callable, Sequence

from fleet_sim.report import intervals, words
from fleet_sim.report.closing import bytes_of, dropped_share, flight_share, image_size, retrained_lines
from fleet_sim.report.results import PointRow, Summary

MOST_SENTENCES = 24
Cell = Callable[[PointRow], str]


def lead(summary: Summary) -> str:
    """One sentence: how much was simulated."""
    rows = summary["points"]
    if not rows:
        return "No point was simulated."
    frames = sum(row["frames_offered"] for row in rows)
    most = max(row["cameras"] for row in rows)
    points = "one point" if len(rows) == 1 else f"{len(rows)} points of a sweep"
    swept = " and ".join(words.title(path) for path in rows[0]["sweep"])
    over = f" over {html.escape(swept)}" if swept else ""
    return (
        f"{words.counted(frames, 'frame')} of up to {words.counted(most, 'camera')}, at {points}{over}: "
        f"{words.time(rows[0]['duration_us'])} of virtual time each."
        + _seeds(rows)
        + ("" if summary.get("complete", True) else " The run was interrupted: later points are missing.")
    )


def headline_tiles(summary: Summary) -> str:
    """The figures to remember: the best and worst point of a sweep (or the one), its bytes and latency."""
    rows = [row for row in summary["points"] if row["accuracy_on_time"] is not None]
    if not rows:
        return ""
    best = max(rows, key=lambda row: row["accuracy_on_time"] or 0)
    worst = min(rows, key=lambda row: row["accuracy_on_time"] or 0)
    tiles = [_tile(words.percent(best["accuracy_on_time"]), "right on time", _at(best, "at best: "))]
    if len(rows) > 1:
        tiles.append(
            _tile(words.percent(worst["accuracy_on_time"]), "right on time", _at(worst, "at worst: "))
        )
    else:
        tiles.append(_tile(words.percent(best["accuracy"]), "of answered frames right", ""))
    pixels = image_size(summary) ** 2
    payload = words.number(bytes_of(best["bpp_payload"], pixels), 1)
    wire = words.number(bytes_of(best["bpp_wire"], pixels), 1)
    where = " at the best point" if len(rows) > 1 else ""
    tiles.append(_tile(payload, "bytes a frame", f"payload{where}; {wire} on the wire"))
    tiles.append(
        _tile(
            words.milliseconds(best["latency_ms"]["p95"]),
            "to answer 95 of 100",
            f"capture to answer{where}",
        )
    )
    return "".join(tiles)


def points_table(summary: Summary) -> str:
    """A row a point, the share right on time drawn behind its number."""
    rows = summary["points"]
    pixels = image_size(summary) ** 2
    swept = [p for p in (rows[0]["sweep"] if rows else {}) if p not in ("link.budget_bps", "fleet.cameras")]
    columns: dict[str, Cell] = {
        **{words.title(path): lambda row, path=path: words.value(path, row["sweep"][path]) for path in swept},  # type: ignore[misc]
        "budget": lambda row: words.bit_rate(row["budget_bps"]),
        "cameras": lambda row: words.number(row["cameras"]),
        "right on time": lambda row: intervals.percent(row, "accuracy_on_time"),
        "right of answered": lambda row: intervals.percent(row, "accuracy"),
        "mean level": lambda row: intervals.number(row, "level_mean", 2),
        "bytes a frame": lambda row: intervals.number(row, "bpp_payload", 1, pixels / 8),
        "bpp ideal": lambda row: intervals.number(row, "bpp_ideal", 3),
        "bpp payload": lambda row: intervals.number(row, "bpp_payload", 3),
        "bpp wire": lambda row: intervals.number(row, "bpp_wire", 3),
        "p50 ms": lambda row: intervals.number(row, "latency_ms_p50"),
        "p95 ms": lambda row: intervals.number(row, "latency_ms_p95"),
        "p99 ms": lambda row: intervals.number(row, "latency_ms_p99"),
        "dropped": lambda row: words.percent(dropped_share(row)),
        "in flight at end": lambda row: words.percent(flight_share(row)),
        "link use": lambda row: intervals.percent(row, "link_utilisation"),
        "offered": lambda row: words.number(row["frames_offered"]),
    }
    if rows and all("energy" in row for row in rows):
        columns |= {
            "mJ a right frame": lambda row: intervals.number(row, "energy_joules_a_right_frame", 2, 1000),
            "battery days": lambda row: intervals.number(row, "energy_battery_days", 1),
            "least": lambda row: intervals.number(row, "energy_battery_days_least", 1),
            "kB a month": lambda row: intervals.number(row, "energy_bytes_a_month", 1, 0.001),
            "EUR a month": lambda row: intervals.number(row, "energy_eur_a_month", 4),
        }
    if rows and all("oracle" in row for row in rows):
        columns["of the oracle"] = lambda row: intervals.percent(row, "oracle_share")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = ""
    for row in rows:
        cells = [
            f'<td class="bar" style="--share:{100 * (row["accuracy_on_time"] or 0):.1f}%">{show(row)}</td>'
            if name == "right on time"
            else f"<td>{html.escape(show(row))}</td>"
            for name, show in columns.items()
        ]
        body += f"<tr>{''.join(cells)}</tr>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def groups_table(summary: Summary) -> str:
    """A row a point and group of cameras; empty where all cameras are alike."""
    pixels = image_size(summary) ** 2
    body = "".join(
        f'<tr><td class="text">{html.escape(words.labels(row["sweep"]))}</td>'
        f'<td class="text">{html.escape(name)}</td>'
        f"<td>{words.number(group['frames_offered'])}</td>"
        f"<td>{words.percent(group['accuracy_on_time'])}</td>"
        f"<td>{words.percent(group['accuracy'])}</td>"
        f"<td>{words.number(group['level_mean'], 2)}</td>"
        f"<td>{words.number(bytes_of(group['bpp_payload'], pixels), 1)}</td>"
        f"<td>{words.number(group['frames_dropped'])}</td></tr>"
        for row in summary["points"]
        for name, group in row.get("groups", {}).items()
    )
    names = ("offered", "right on time", "right of answered", "mean level", "bytes a frame", "dropped")
    head = '<th class="text">point</th><th class="text">group</th>' + "".join(f"<th>{n}</th>" for n in names)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>' if body else ""


def servers_table(summary: Summary) -> str:
    """A row a point: what its servers did; nothing for a run that did not count it."""
    names = ("offered/s", "right on time/s", "on time/s", "busy", "replicas", "frames a batch", "wait ms",
             "p50 ms", "p95 ms", "p99 ms", "p99.9 ms", "shed", "redone")  # fmt: skip
    body = ""
    for row in summary["points"]:
        if "serving" not in row:
            continue
        did, latency = row["serving"], row["latency_ms"]
        cells = (
            words.number(did["offered_per_s"]),
            words.number(did["goodput_per_s"]),
            words.number(did["on_time_per_s"]),
            words.percent(did["utilisation"]),
            words.number(did["replicas"], 2),
            words.number(did["batch_mean"], 1),
            words.number(did["queue_wait_ms"], 1),
            *(words.number(latency[key]) for key in ("p50", "p95", "p99", "p99.9")),
            words.number(row["frames_dropped"].get("shed", 0)),
            words.number(did["frames_redone"]),
        )
        body += f'<tr><td class="text">{html.escape(words.labels(row["sweep"]))}</td>'
        body += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    head = '<th class="text">point</th>' + "".join(f"<th>{name}</th>" for name in names)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>' if body else ""


def heads_table(summary: Summary) -> str:
    """A row a point and head, where more than one head answered; else nothing."""
    body = ""
    for row in summary["points"]:
        heads = {n: head for n, head in row.get("heads", {}).items() if head["frames_answered"]}
        answered = sum(head["frames_answered"] for head in heads.values())
        for name, head in heads.items() if len(heads) > 1 else ():
            body += (
                f'<tr><td class="text">{html.escape(words.labels(row["sweep"]))}</td>'
                f'<td class="text">{html.escape(name)}</td>'
                f"<td>{words.percent(head['frames_answered'] / answered)}</td>"
                f"<td>{words.percent(head['accuracy'])}</td>"
                f"<td>{words.percent(head['right_on_time_of_answered'])}</td></tr>"
            )
    if not body:
        return ""
    return (
        '<div class="scroll"><table><thead><tr><th class="text">point</th><th class="text">head</th>'
        "<th>of all answers</th><th>right of answered</th><th>right and on time of answered</th></tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def versions_table(summary: Summary) -> str:
    """A row an encoder: when it came, how it was trained, the heads that read it; then retrained heads."""
    body = "".join(
        f'<tr><td class="text"><code>{html.escape(e["id"][:16])}</code></td>'
        f'<td class="text">{html.escape(e["recipe"])}</td>'
        f"<td>{words.time(e['at_us']) if e['at_us'] else 'start'}</td>"
        f'<td class="text">{html.escape(", ".join(e["heads"]))}</td></tr>'
        for e in summary["versions"]["encoders"]
    )
    retrained = sentences(retrained_lines(summary))
    return (
        '<div class="scroll"><table><thead><tr><th class="text">encoder</th><th class="text">recipe</th>'
        f'<th>from</th><th class="text">heads</th></tr></thead><tbody>{body}</tbody></table></div>{retrained}'
    )


def sentences(lines: Sequence[str]) -> str:
    """A paragraph a line; of many the first."""
    shown = [f"<p>{html.escape(line[0].upper() + line[1:])}.</p>" for line in lines[:MOST_SENTENCES]]
    more = len(lines) - len(shown)
    return "".join(shown) + (f"<p>summary.json has {more} more.</p>" if more else "")


def machine_list(summary: Summary) -> str:
    """Digest, seed, audit, wall time and machine as a list of terms."""
    terms: dict[str, str] = {"digest": summary["digest"], "seed": str(summary["seed"])}
    if (audit := summary.get("audit")) is not None:
        terms["audit"] = f"{words.number(audit['checked'])} answers done again live, all as in the bank"
    terms["wall time"] = ", ".join(f"{part} {seconds:.1f} s" for part, seconds in summary["wall_s"].items())
    terms |= {name: str(what) for name, what in summary["machine"].items()}
    items = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(what)}</dd>" for name, what in terms.items()
    )
    return f"<dl>{items}</dl>"


def _seeds(rows: list[PointRow]) -> str:
    most = max(len(row.get("seeds", ())) for row in rows)
    if most < 2:
        return ""
    return f" Each point is the mean over {most} seeds; what follows ± is half of its 95 % interval."


def _at(row: PointRow, opening: str) -> str:
    return (
        opening + words.labels(row["sweep"])
        if row["sweep"]
        else f"of {words.number(row['frames_offered'])} frames"
    )


def _tile(figure: str, what: str, where: str) -> str:
    return f'<div class="tile"><b>{figure}</b><span>{what}</span><small>{html.escape(where)}</small></div>'
