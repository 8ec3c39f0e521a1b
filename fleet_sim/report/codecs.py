"""What a camera should send, where a sweep tried several codecs: who sees most, at what energy, and why."""

import html

from fleet_sim.report import intervals, words
from fleet_sim.report.closing import bytes_of, image_size
from fleet_sim.report.page import section
from fleet_sim.report.results import PointRow, Summary

AXIS = "camera.codec"
NEAR = 0.01  # shares of frames closer than this are called alike

WHERE_LABELS_LOSE = (
    "A label is right as long as the question stays the same and every camera holds the whole network. It is "
    "not where new tasks come: a label answers one question, and another one needs another network on every "
    "camera, sent over this link, while a latent is read by any head that a server learns, with the encoders "
    "as they are (<code>fleet-sim reproduce transfer</code>). Nor on weak cameras: the whole network takes "
    "more weights and more multiply-adds than its encoder, hence more energy, and one that does not fit "
    "<code>camera.device</code> is refused."
)


def codecs_section(summary: Summary) -> str | None:
    """The section of the report; None where no codecs were swept."""
    rows = summary["points"]
    if not rows or AXIS not in rows[0]["sweep"]:
        return None
    settings: dict[str, list[PointRow]] = {}
    for row in rows:
        others = {path: value for path, value in row["sweep"].items() if path != AXIS}
        settings.setdefault(words.labels(others) if others else "", []).append(row)
    found = [sentence for name, alike in settings.items() if (sentence := verdict(name, alike))]
    labels = any(row["sweep"][AXIS] == "label" for row in rows)
    text = "".join(f"<p>{html.escape(one)}</p>" for one in found)
    if labels:
        text += f"<p>{WHERE_LABELS_LOSE}</p>"
    table = _table(settings, image_size(summary) ** 2)
    return section("What a camera should send", "Every codec on the same frames.", table + text)


def verdict(name: str, rows: list[PointRow]) -> str:
    """Who sees most at one setting of all else, and who of these takes the least energy (or bits)."""
    seen = [row for row in rows if row["accuracy_on_time"]]
    if not seen:
        return ""
    most = max(row["accuracy_on_time"] or 0 for row in seen)
    alike = [row for row in seen if (row["accuracy_on_time"] or 0) >= most - NEAR]
    cheapest = min(alike, key=_price)
    winner = str(cheapest["sweep"][AXIS])
    also = [str(row["sweep"][AXIS]) for row in alike if row is not cheapest]
    shown = f"{words.percent(cheapest['accuracy_on_time'])} right on time"
    if "energy" in cheapest:
        shown += f", {_millijoules(cheapest)} mJ for each"
    alone = f"; within a point of it: {', '.join(also)}" if also else ""
    at = f"{name}: " if name else ""
    wins = "label wins" if winner == "label" else f"{winner} does best"
    return f"{at}{wins} ({shown}{alone})."


def _price(row: PointRow) -> float:
    if "energy" in row:
        return row["energy"]["joules_a_right_frame"] or 0.0
    return row["bpp_wire"] or 0.0


def _millijoules(row: PointRow) -> str:
    return intervals.number(row, "energy_joules_a_right_frame", 2, 1000) if "energy" in row else words.NOTHING


def _table(settings: dict[str, list[PointRow]], pixels: int) -> str:
    head = '<th class="text">codec</th>' + "".join(
        f"<th>{html.escape(name)}<br>{what}</th>"
        for name in settings
        for what in ("right on time", "wire bytes a frame", "mJ a right frame")
    )
    by_codec: dict[str, dict[str, PointRow]] = {}
    for name, rows in settings.items():
        for row in rows:
            by_codec.setdefault(str(row["sweep"][AXIS]), {})[name] = row
    body = ""
    for codec, at in by_codec.items():
        cells = "".join(
            f"<td>{intervals.percent(at[name], 'accuracy_on_time')}</td>"
            f"<td>{words.number(bytes_of(at[name]['bpp_wire'], pixels), 1)}</td>"
            f"<td>{_millijoules(at[name])}</td>"
            if name in at
            else "<td></td>" * 3
            for name in settings
        )
        body += f'<tr><td class="text">{html.escape(codec)}</td>{cells}</tr>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
