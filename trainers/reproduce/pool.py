"""Steps done in order of need, as many at a time as there are processes, with progress and time left."""

import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fleet_sim.basics.errors import Interrupted, RunError, UserError
from trainers.reproduce.progress import Told
from trainers.reproduce.store import Step, Store

_POLL_S = 0.5
_CONTEXT = multiprocessing.get_context("spawn")
Messages = Any
"""A queue of (key of a step, "progress" or "refused" or "done", what more there is to say)."""


def in_order(targets: Iterable[Step], store: Store) -> list[Step]:
    """What is to be done for `targets`, each step once, needs first; what only done steps need is not."""
    found: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.key not in found and store.record(step) is None:
            for need in step.needs:
                visit(need)
            found[step.key] = step

    for target in targets:
        visit(target)
    return list(found.values())


def do_all(targets: Iterable[Step], store: Store, processes: int, say: Callable[[str], None]) -> None:
    """Do what is missing of `targets` and their needs; `say` gets lines on how it goes.

    The first error of a step ends all: UserError for bad input, else RunError; Interrupted on Ctrl-C. What is
    finished by then is kept, unfinished trainings up to their last epoch.
    """
    waiting = in_order(targets, store)
    unfinished = {step.key for step in waiting}
    told = Told(say, waiting)
    messages: Messages = _CONTEXT.Queue()
    workers = [_Worker(store, messages) for _ in range(min(processes, len(waiting)))]
    try:
        while unfinished:
            idle = [worker for worker in workers if worker.step is None]
            for worker, step in zip(idle, _ready(waiting, unfinished), strict=False):
                waiting.remove(step)
                worker.begin(step)
            found = _next(messages, workers)
            if found is None:
                continue
            worker, progress = found
            assert worker.step is not None
            if progress is not None:
                told.progress(worker.step, *progress)
                continue
            unfinished.remove(worker.step.key)
            told.finished(worker.step)
            worker.step = None
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; what is finished, trainings by the epoch, is kept in {store.root}: "
            "the same command goes on"
        ) from None
    finally:
        for worker in workers:
            worker.end()


def _ready(waiting: Sequence[Step], unfinished: set[str]) -> list[Step]:
    return [step for step in waiting if not any(need.key in unfinished for need in step.needs)]


class _Worker:
    """A process that does one step after the other; importing torch takes seconds, so it is kept."""

    def __init__(self, store: Store, messages: Messages) -> None:
        self.step: Step | None = None
        self._steps: Any = _CONTEXT.SimpleQueue()
        self.process = _CONTEXT.Process(target=_work, args=(self._steps, store.root, messages), daemon=True)
        self.process.start()

    def begin(self, step: Step) -> None:
        self.step = step
        self._steps.put(step)

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def _next(messages: Messages, workers: Sequence[_Worker]) -> tuple[_Worker, Any] | None:
    """The next word of a worker: how far it is, or None when its step is done; nothing after a while."""
    try:
        key, kind, content = messages.get(timeout=_POLL_S)
    except queue.Empty:
        for worker in workers:
            if not worker.process.is_alive():
                at = worker.step.title if worker.step else "a process without work"
                raise RunError(f"{at}: its process ended with status {worker.process.exitcode}") from None
        return None
    worker = next(worker for worker in workers if worker.step and worker.step.key == key)
    if kind == "refused":
        raise UserError(f"{worker.step.title if worker.step else key}: {content}")
    return worker, content


def _work(steps: Any, root: Path, messages: Messages) -> None:
    """What a worker process does; its parent alone hears Ctrl-C and then ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    store = Store(root)
    while True:
        step: Step = steps.get()

        def progress(
            part: str, done: int, total: int, figures: dict[str, float], key: str = step.key
        ) -> None:
            messages.put((key, "progress", (part, done, total, figures)))

        try:
            store.do(step, progress)
        except UserError as error:
            messages.put((step.key, "refused", str(error)))
        else:
            messages.put((step.key, "done", None))
