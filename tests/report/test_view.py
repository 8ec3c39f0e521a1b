import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fleet_sim.report.results import read_results
from fleet_sim.report.view import LiveView, View

Make = Callable[..., Any]


def play(view: View, folder: Path) -> None:
    """A short run: two stages of training, a bank, two points."""
    summary = read_results(folder).summary
    with view:
        view.note("dashboard at [127.0.0.1]:8265")
        view.stage("Training")
        for done in (1, 2, 3):
            view.training("e2e", done, 3, {"loss": 0.51234, "accuracy": 0.9})
        view.bank(50, 100)
        view.bank(100, 100)
        for i in (0, 1):
            view.point(i, 2, f"20 kbit/s, {200 + i} cameras")
            view.advance(i, 30_000_000, 60_000_000)
            view.advance(i, 60_000_000, 60_000_000)
            view.point_done(i, summary["points"][i])
    view.closing_table(summary, folder)


def test_without_a_terminal_there_are_plain_lines(write_run: Make) -> None:
    out = io.StringIO()
    folder = write_run()
    play(View(Console(file=out, width=200)), folder)
    text = out.getvalue()
    assert "\x1b" not in text
    assert "\r" not in text
    lines = text.splitlines()
    assert lines[:4] == [
        "dashboard at [127.0.0.1]:8265",
        "Training",
        "  e2e: 3 epochs, loss 0.5123, accuracy 0.9",
        "  bank: ready",
    ]
    assert lines[4].startswith("  1/2 20 kbit/s, 200 cameras: 94.6 % on time, level ")
    assert lines[-1] == f"report  {folder / 'report.html'}"
    assert lines[-2].startswith("digest  9d3c")


def test_the_closing_table_has_a_row_for_every_point_and_fits_80_columns(write_run: Make) -> None:
    out = io.StringIO()
    folder = write_run()
    View(Console(file=out, width=80)).closing_table(read_results(folder).summary, folder)
    rows = [line for line in out.getvalue().splitlines() if "kbit/s" in line]
    assert len(rows) == 12
    figures = "200 94.6 96.7 6.30 28.1 99/188 0.0/0.2 97.8"
    assert rows[0].split() == ["10", "kbit/s", *figures.split(" ")]


def test_a_narrow_terminal_gets_fewer_columns_and_is_told_which(write_run: Make, make_point: Make) -> None:
    out = io.StringIO()
    swept = {"rollout.guard.share": 0.1, "rollout.air.share": 0.25}
    folder = write_run([make_point(0, swept, 12_000, 20_000)])
    View(Console(file=out, width=50)).closing_table(read_results(folder).summary, folder)
    (row,) = [line.split() for line in out.getvalue().splitlines() if "0.25" in line]
    assert row[:3] == ["0.1", "0.25", "3.5"]
    assert "…" not in out.getvalue()
    said = " ".join(out.getvalue().split())
    assert (
        "left out for want of room, but in the report: budget, cameras, link, level, drop/in flight" in said
    )


def test_other_swept_fields_get_columns_of_their_own(write_run: Make, make_point: Make) -> None:
    out = io.StringIO()
    folder = write_run([make_point(0, {"serving.deadline_us": 200_000}, 1000, 20_000)])
    View(Console(file=out, width=120)).closing_table(read_results(folder).summary, folder)
    assert "deadline" in out.getvalue()
    assert "200 ms" in out.getvalue()


def test_a_terminal_shows_bars_and_keeps_the_same_lines(write_run: Make) -> None:
    out = io.StringIO()
    play(LiveView(Console(file=out, width=120, force_terminal=True)), write_run())
    assert "point 2 of 2" in out.getvalue()
    assert "  e2e: 3 epochs, loss 0.5123, accuracy 0.9" in out.getvalue()
    assert "2/2 20 kbit/s, 201 cameras: " in out.getvalue()


def test_long_work_says_how_far_it_is_and_how_long_it_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("fleet_sim.report.view.time.monotonic", lambda: now[0])
    out = io.StringIO()
    view = View(Console(file=out, width=200))
    view.training("e2e", 2, 10, {})  # resumed at the second epoch
    now[0] += 10
    view.training("e2e", 3, 10, {})
    now[0] += 50
    view.training("e2e", 5, 10, {"loss": 0.5})
    now[0] += 1
    view.training("e2e", 6, 10, {})
    assert out.getvalue() == "  e2e: 5 of 10 epochs, loss 0.5, about 2 min left\n"


def test_points_side_by_side_each_say_how_fast_they_are(
    monkeypatch: pytest.MonkeyPatch, write_run: Make
) -> None:
    now = [100.0]
    monkeypatch.setattr("fleet_sim.report.view.time.monotonic", lambda: now[0])
    out = io.StringIO()
    view = View(Console(file=out, width=200))
    for index, label in enumerate(("slow", "fast")):
        view.point(index, 2, label)
        view.advance(index, 0, 600_000_000)
    now[0] += 31
    view.advance(0, 31_000_000, 600_000_000)
    view.advance(1, 310_000_000, 600_000_000)
    now[0] += 31
    view.advance(1, 540_000_000, 600_000_000)
    view.point_done(1, read_results(write_run()).summary["points"][1])
    lines = out.getvalue().splitlines()
    assert lines[:2] == [
        "  slow: 31 s of 10 min, 1 virtual s/s, about 9 min left",
        "  fast: 9 min of 10 min, 9 virtual s/s, about 7 s left",
    ]
    assert lines[2].startswith("  2/2 fast: ")
