"""Line charts as SVG: a small file that any browser shows, without a drawing library.

A page has one or more charts below each other, each with its own legend at the right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 820, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 36, 48
_COLOURS = ("#1f6fb4", "#d1493f", "#2f8f4e", "#8a5fb0", "#c98a1b", "#2aa5a0", "#7a7a7a", "#c45a9a")
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Series:
    """Points joined by a line. `spread` are standard deviations of y, or empty."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    spread: Sequence[float] = ()
    colour: int = 0
    dash: int = 0
    line: bool = True


@dataclass(frozen=True)
class Chart:
    """Axes and what is drawn in them. With `categories`, x counts these words from 0."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    logarithmic: bool = False
    categories: Sequence[str] = ()


def svg(charts: Sequence[Chart]) -> str:
    """The page of `charts`."""
    height = _HEIGHT * len(charts)
    body = "".join(f'<g transform="translate(0 {i * _HEIGHT})">{_draw(c)}</g>' for i, c in enumerate(charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>{body}</svg>\n'
    )


def _draw(chart: Chart) -> str:
    axes = _Axes(chart)
    parts = [_text(_LEFT, 22, chart.title, size=14), *axes.drawn()]
    for place, series in enumerate(chart.series):
        colour = _COLOURS[series.colour % len(_COLOURS)]
        points = [(axes.x(x), axes.y(y)) for x, y in zip(series.x, series.y, strict=True)]
        dash = _DASHES[series.dash % len(_DASHES)]
        stroke = f'stroke="{colour}" stroke-width="1.6" stroke-dasharray="{dash}"'
        if series.line:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" {stroke}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="{colour}"/>' for x, y in points]
        for (x, _), value, deviation in zip(points, series.y, series.spread, strict=bool(series.spread)):
            low, high = axes.y(value - deviation), axes.y(value + deviation)
            parts.append(_line(x, low, x, high, colour))
        y = _TOP + 10 + 18 * place
        parts.append(f'<g {stroke}><path d="M{_WIDTH - _RIGHT + 12} {y}h24"/></g>')
        parts.append(_text(_WIDTH - _RIGHT + 42, y + 4, series.name))
    return "".join(parts)


class _Axes:
    """From values to places, and the frame with its ticks."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        xs = [x for series in chart.series for x in series.x]
        spreads = [(s, list(s.spread) or [0.0] * len(s.y)) for s in chart.series]
        ends = [y + sign * d for s, ds in spreads for y, d in zip(s.y, ds, strict=True) for sign in (-1, 1)]
        if chart.categories:
            self._x0, self._x1 = -0.5, len(chart.categories) - 0.5
        else:
            self._x0, self._x1 = self._scaled(min(xs)), self._scaled(max(xs))
        margin = 0.05 * (max(ends) - min(ends)) or 1.0
        self._y0, self._y1 = min(ends) - margin, max(ends) + margin

    def _scaled(self, x: float) -> float:
        return math.log2(x) if self._chart.logarithmic else x

    def x(self, value: float) -> float:
        share = (self._scaled(value) - self._x0) / ((self._x1 - self._x0) or 1.0)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self._y1 - value) / (self._y1 - self._y0) * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self) -> list[str]:
        right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        parts = []
        for value in _round_values(self._y0, self._y1):
            y = self.y(value)
            parts += [_line(_LEFT, y, right, y, "#e4e4e4"), _text(_LEFT - 6, y + 4, f"{value:g}", "end")]
        for value, word in self._x_ticks():
            x = self.x(value)
            parts += [_line(x, bottom, x, bottom + 4, "#555"), _text(x, bottom + 18, word, "middle")]
        parts.append(_line(_LEFT, bottom, right, bottom, "#555"))
        parts.append(_text((_LEFT + right) / 2, _HEIGHT - 10, self._chart.x_label, "middle"))
        middle = (_TOP + bottom) / 2
        parts.append(f'<g transform="translate(16 {middle}) rotate(-90)">')
        parts += [_text(0, 0, self._chart.y_label, "middle"), "</g>"]
        return parts

    def _x_ticks(self) -> list[tuple[float, str]]:
        if self._chart.categories:
            return [(float(i), word) for i, word in enumerate(self._chart.categories)]
        if self._chart.logarithmic:
            powers = range(math.ceil(self._x0 - 1e-9), math.floor(self._x1 + 1e-9) + 1)
            return [(2.0**power, f"{2.0**power:g}") for power in powers]
        return [(value, f"{value:g}") for value in _round_values(self._x0, self._x1)]


def _round_values(low: float, high: float) -> list[float]:
    """Four to ten multiples of 1, 2 or 5 times a power of ten within `low` to `high`."""
    if high <= low:
        return [low]
    rough = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _line(x0: float, y0: float, x1: float, y1: float, colour: str) -> str:
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {place}>{escape(words)}</text>"
