"""A comparison as a table of text and as a page."""

import html
from pathlib import Path

import plotly.graph_objects as go
from rich import box
from rich.table import Table

from fleet_sim.report import words
from fleet_sim.report.compare import FIGURES, SHARES, Comparison, Difference
from fleet_sim.report.page import embedded, page, section
from fleet_sim.report.results import write_whole
from fleet_sim.report.style import INK, KINDS, styled


def table(comparison: Comparison) -> Table:
    """A row a figure and point; what matters is marked."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("point")
    shown.add_column("figure")
    for heading in ("A", "B", "B - A", "matters"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for one in comparison.differences:
        shown.add_row(
            words.labels(one.sweep), FIGURES[one.figure], *_cells(one), "yes" if one.matters else ""
        )
    shown.caption = how(comparison)
    shown.caption_justify = "left"
    return shown


def verdict(comparison: Comparison) -> str:
    """What was found, in one sentence."""
    if min(comparison.seeds) < 2:
        return "Each run has one seed, so nothing says which differences are luck: run with sweep.seeds=5."
    found = [one for one in comparison.differences if one.matters]
    if not found:
        return f"No difference found among {len(comparison.differences)} figures."
    largest = max(found, key=lambda one: (one.figure == "accuracy_on_time", abs(one.difference)))
    return (
        f"{len(found)} of {len(comparison.differences)} figures differ; at {words.labels(largest.sweep)} "
        f"{FIGURES[largest.figure]} is {_cells(largest)[0]} in A and {_cells(largest)[1]} in B."
    )


def how(comparison: Comparison) -> str:
    """How the differences were found."""
    of_seeds = " and ".join(dict.fromkeys(str(seeds) for seeds in comparison.seeds))
    drawn = "the same in both, so paired" if comparison.paired else "not the same in both"
    return (
        f"seeds: {of_seeds}, {drawn}; ± is half of a 95 % interval (Student's t); what matters is found by "
        "Holm's procedure over all figures, wrongly in at most 5 % of comparisons"
    )


def write_page(comparison: Comparison, file: Path) -> Path:
    """Write the comparison as one HTML file."""
    settings = "".join(
        f"<dt>{html.escape(path)}</dt><dd>{html.escape(f'{a} in A, {b} in B')}</dd>"
        for path, (a, b) in comparison.settings.items()
    )
    body = [
        section(
            "How much more B sees in time",
            "Frames right on time of those offered, B less A, with 95 % intervals. Blue differences matter.",
            embedded("difference", _figure(comparison)),
        ),
        section("All figures", html.escape(how(comparison)), _html_table(comparison)),
        section("What is set otherwise", "Fields of the scenario that differ.", f"<dl>{settings}</dl>"),
    ]
    lead = f"{verdict(comparison)} A is {comparison.a}, B is {comparison.b}."
    text = page(f"{comparison.b} against {comparison.a}", html.escape(lead), "", body)
    write_whole({file: lambda path: path.write_text(text, encoding="utf-8")})
    return file


def _cells(one: Difference) -> tuple[str, str, str]:
    """A, B and their difference as they are read."""
    share = one.figure in SHARES
    digits = {"accuracy": 1, "bpp_wire": 3, "energy_joules_a_right_frame": 4}.get(one.figure, int(share))
    factor = 100 if share else 1
    sign = " %" if share else ""
    half = "" if one.half_width is None else f" ±{factor * one.half_width:.{digits + share}f}"
    difference = f"{factor * one.difference:+.{digits + share}f}{half}"
    return (f"{factor * one.a:.{digits}f}{sign}", f"{factor * one.b:.{digits}f}{sign}", difference)


def _figure(comparison: Comparison) -> go.Figure:
    shown = [one for one in comparison.differences if one.figure == "accuracy_on_time"]
    figure = go.Figure()
    figure.add_scatter(
        x=[100 * one.difference for one in shown],
        y=[words.labels(one.sweep) for one in shown],
        error_x={"type": "data", "array": [100 * (one.half_width or 0) for one in shown], "color": INK},
        mode="markers",
        marker={"size": 10, "color": [KINDS[0] if one.matters else "#c3cad1" for one in shown]},
        hovertemplate="%{y}<br>%{x:+.2f} points<extra></extra>",
    )
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    styled(figure, 120 + 30 * len(shown), legend=False)
    figure.update_xaxes(title_text="percentage points right on time, B less A")
    return figure.update_yaxes(autorange="reversed", type="category", showgrid=False)


def _html_table(comparison: Comparison) -> str:
    rows = "".join(
        f'<tr><td class="text">{html.escape(words.labels(one.sweep))}</td>'
        f'<td class="text">{FIGURES[one.figure]}</td>'
        + "".join(f"<td>{cell}</td>" for cell in _cells(one))
        + f"<td>{'yes' if one.matters else ''}</td></tr>"
        for one in comparison.differences
    )
    names = "".join(f"<th>{name}</th>" for name in ("A", "B", "B - A", "matters"))
    head = f'<th class="text">point</th><th class="text">figure</th>{names}'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
