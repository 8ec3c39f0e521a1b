"""Checks as lines of text."""

from fleet_sim.conformance.check import Check

_WIDTHS = (28, 41, 8, 8, 18, 9, 7)


def heading() -> str:
    """The line above all checks."""
    return _line("model", "quantity", "measured", "expected", "interval", "n", "verdict")


def line(check: Check) -> str:
    """One check."""
    interval = f"{_figure(check.low)} .. {_figure(check.high)}"
    verdict = "holds" if check.holds else "FAILS"
    figures = (_figure(check.measured), _figure(check.expected), interval, f"{check.n:,}")
    return _line(check.model, check.quantity, *figures, verdict)


def _line(*cells: str) -> str:
    texts = [
        cell.ljust(width) if i < 2 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return "  ".join(texts).rstrip()


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
