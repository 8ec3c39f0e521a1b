"""The frame of every page: one file with everything in it."""

import html
from collections.abc import Sequence
from importlib.resources import files
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from fleet_sim.report.style import FONT


def page(name: str, lead: str, tiles: str, sections: Sequence[str]) -> str:
    """A whole page; `name` is plain text, the rest HTML."""
    template = Template(files("fleet_sim.report").joinpath("page.html").read_text(encoding="utf-8"))
    return template.substitute(
        name=html.escape(name),
        font=FONT,
        plotly=get_plotlyjs(),
        lead=lead,
        tiles=tiles,
        sections="\n".join(sections),
    )


def section(title: str, caption: str, body: str) -> str:
    """A part of a page."""
    return f"<section><h2>{title}</h2><p>{caption}</p>{body}</section>"


def embedded(name: str, figure: go.Figure) -> str:
    """The figure as a part of the page; plotly's script is there once for all."""
    part: str = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displayModeBar": False, "responsive": True, "scrollZoom": False},
    )
    return f'<div class="figure">{part}</div>'
