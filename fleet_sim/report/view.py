"""A run as seen in the terminal: a line as each stage or point ends, and bars where they can be drawn."""

import time
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
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

    Nothing moves and no control codes are written. Of several sweep points that are simulated side by side,
    each from a thread of its own, each is told by its index.
    """

    _quiet = True  # nothing else shows that a long stage is going on

    def __init__(self, console: Console) -> None:
        """Lines go to `console`."""
        self._console = console
        self._last_word = time.monotonic()
        self._points, self._labels = 1, dict[int, str]()
        self._began: dict[str, tuple[float, int]] = {}  # when each work was first heard of, and how far
        self._lock = RLock()

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
            self._began.pop(stage, None)
            self._line(f"  {stage}: {total} epoch{'s' if total > 1 else ''}{_measured(figures)}")
        else:
            self._word(stage, f"{done} of {total} epochs{_measured(figures)}", done, total)

    def bank(self, done: int, total: int) -> None:
        """`done` of `total` parts of the bank are coded and classified."""
        if done == total:
            self._line("  bank: ready")

    def point(self, index: int, of: int, label: str) -> None:
        """Sweep point `index` (from 0) of `of` begins."""
        with self._lock:
            self._points, self._labels[index] = of, label

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        """Point `index` has been simulated up to `virtual_us` of `of_us`."""
        if virtual_us < of_us:
            with self._lock:
                reached = f"{words.time(virtual_us)} of {words.time(of_us)}"
                self._word(self._labels[index], reached, virtual_us, of_us, "{:,.0f} virtual s/s", 1e6)

    def point_done(self, index: int, row: Mapping[str, object]) -> None:
        """Point `index` is finished, with these figures (a `PointRow`)."""
        with self._lock:
            label = self._labels.pop(index)
            self._began.pop(label, None)
            self._line(f"  {index + 1}/{self._points} {label}: {point_words(cast(PointRow, row))}")

    def closing_table(self, summary: Summary, folder: Path) -> None:
        """All points of a finished run, its digest, and where its report lies."""
        self._console.print(closing_table(summary, self._console.width))
        self._line(f"digest  {summary['digest']}")
        self._line(f"report  {folder / 'report.html'}")

    def _word(
        self, work: str, reached: str, done: int, total: int, speed: str = "", speed_unit: float = 1.0
    ) -> None:
        """Say now and then how far a long work is, and how long it will take at the pace seen so far.

        `speed` is a format for done / `speed_unit` a second; empty: it is not said.
        """
        now = time.monotonic()
        began_s, began_at = self._began.setdefault(work, (now, done))
        if self._quiet and now - self._last_word > SECONDS_BETWEEN_WORDS:
            self._last_word = now
            pace = ""
            if done > began_at:
                a_second = (done - began_at) / (now - began_s)
                pace = f", {speed.format(a_second / speed_unit)}" if speed else ""
                pace += _left((total - done) / a_second)
            self._line(f"  {work}: {reached}{pace}")

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
        self._done = 0  # points

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
        with self._lock:
            self._bar("sweep", "sweep", self._done, of, f"point {index + 1} of {of}")

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        """Moves the bar of the point; says how many virtual seconds pass in a second."""
        with self._lock:
            self._bar(f"point {index}", self._labels[index], virtual_us, of_us, "")
            if (task := self._tasks.get(f"point {index}")) is not None:
                speed = self._progress.tasks[self._progress.task_ids.index(task)].speed
                self._progress.update(task, figures=f"{speed / 1e6:,.0f} virtual s/s" if speed else "")

    def point_done(self, index: int, row: Mapping[str, object]) -> None:
        """Takes the bars of a finished point away."""
        with self._lock:
            self._done += 1
            self._remove(f"point {index}")
            if self._done == self._points:
                self._remove("sweep")
        super().point_done(index, row)

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


def _left(seconds: float) -> str:
    return f", about {seconds:.0f} s left" if seconds < 100 else f", about {seconds / 60:.0f} min left"
