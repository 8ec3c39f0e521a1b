"""A run as seen in the terminal: a line as each stage or point ends, and bars where they can be drawn."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from fleet_sim.report import words
from fleet_sim.report.closing import closing_table, point_words
from fleet_sim.report.results import PointRow, Summary

SECONDS_BETWEEN_WORDS = 30.0


class View:
    """Plain lines: one a stage, one a sweep point, and a word now and then while one of these takes long.

    Nothing moves and no control codes are written.
    """

    _quiet = True  # nothing else shows that a long stage is going on

    def __init__(self, console: Console) -> None:
        """Lines go to `console`."""
        self._console = console
        self._last_word = time.monotonic()
        self._points = (0, 1)
        self._label = ""
        self._work, self._began_s, self._began_at = "", 0.0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def note(self, text: str) -> None:
        """Something a user should know, said once."""
        self._line(text)

    def stage(self, title: str) -> None:
        """A part of the run begins."""
        self._line(title)

    def training(self, stage: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        """`done` of `total` epochs of a training stage, with what was last measured."""
        if done == total:
            self._line(f"  {stage}: {total} epoch{'s' if total > 1 else ''}{_measured(figures)}")
        else:
            self._word(stage, f"{done} of {total} epochs{_measured(figures)}", done, total)

    def bank(self, done: int, total: int) -> None:
        """`done` of `total` parts of the bank are coded and classified."""
        if done == total:
            self._line("  bank: ready")

    def point(self, index: int, of: int, label: str) -> None:
        """Sweep point `index` (from 0) of `of` begins."""
        self._points, self._label = (index, of), label

    def advance(self, virtual_us: int, of_us: int) -> None:
        """The current point has been simulated up to `virtual_us` of `of_us`."""
        if virtual_us < of_us:
            reached = f"{words.time(virtual_us)} of {words.time(of_us)}"
            self._word(self._label, reached, virtual_us, of_us)

    def point_done(self, row: Mapping[str, object]) -> None:
        """The current point is finished, with these figures (a `PointRow`)."""
        index, of = self._points
        self._line(f"  {index + 1}/{of} {self._label}: {point_words(cast(PointRow, row))}")

    def closing_table(self, summary: Summary, folder: Path) -> None:
        """All points of a finished run, its digest, and where its report lies."""
        self._console.print(closing_table(summary))
        self._line(f"digest  {summary['digest']}")
        self._line(f"report  {folder / 'report.html'}")

    def _word(self, work: str, reached: str, done: int, total: int) -> None:
        """Say now and then how far a long work is, and how long it will take at the pace seen so far."""
        now = time.monotonic()
        if work != self._work:
            self._work, self._began_s, self._began_at = work, now, done
        if self._quiet and now - self._last_word > SECONDS_BETWEEN_WORDS:
            self._last_word = now
            moved = done - self._began_at
            left_s = (now - self._began_s) * (total - done) / moved if moved else None
            self._line(f"  {work}: {reached}{_left(left_s)}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView(View):
    """The same lines, and below them a bar for whatever is going on."""

    _quiet = False

    def __init__(self, console: Console) -> None:
        """Draws on `console`, a terminal."""
        super().__init__(console)
        self._progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}", style="dim", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, title: str) -> None:
        """A moving bar until there is something to measure."""
        super().stage(title)
        self._bar("starting", "starting", 0, None, "")

    def training(self, stage: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        """A bar of epochs."""
        self._bar(f"train {stage}", stage, done, total, _measured(figures).removeprefix(", "))
        super().training(stage, done, total, figures)

    def bank(self, done: int, total: int) -> None:
        """A bar of the bank's parts."""
        self._bar("bank", "bank", done, total, "")
        super().bank(done, total)

    def point(self, index: int, of: int, label: str) -> None:
        """A bar of points, and one of this point's virtual time."""
        super().point(index, of, label)
        self._bar("sweep", "sweep", index, of, f"point {index + 1} of {of}")

    def advance(self, virtual_us: int, of_us: int) -> None:
        """Moves the bar of the point; says how many virtual seconds pass in a second."""
        self._bar("point", self._label, virtual_us, of_us, "")
        if (task := self._tasks.get("point")) is not None:
            speed = self._progress.tasks[self._progress.task_ids.index(task)].speed
            self._progress.update(task, figures=f"{speed / 1e6:,.0f} virtual s/s" if speed else "")

    def point_done(self, row: Mapping[str, object]) -> None:
        """Takes the bars of a finished point away."""
        index, of = self._points
        self._remove("point")
        if index + 1 == of:
            self._remove("sweep")
        super().point_done(row)

    def _bar(self, key: str, description: str, done: int, total: int | None, figures: str) -> None:
        self._remove("starting")
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(description, total=total, figures=figures)
        self._progress.update(self._tasks[key], completed=done, total=total, figures=figures)
        if total is not None and done >= total:
            self._remove(key)

    def _remove(self, key: str) -> None:
        if (task := self._tasks.pop(key, None)) is not None:
            self._progress.remove_task(task)


def open_view() -> View:
    """The view that standard output can show."""
    console = Console()
    return LiveView(console) if console.is_terminal else View(Console(width=200))


def _measured(figures: Mapping[str, float]) -> str:
    return "".join(f", {name} {value:.4g}" for name, value in figures.items())


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"
