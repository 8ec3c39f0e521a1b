"""Steps done in order of need, as many at a time as there are processes, with progress and time left."""

import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.context import SpawnProcess
from typing import Any

from fleet_sim.basics.errors import Interrupted, RunError, UserError
from trainers.reproduce.progress import Told
from trainers.reproduce.store import Step, Store

_POLL_S = 0.5


def in_order(targets: Iterable[Step]) -> list[Step]:
    """`targets` and all that they need, each once, needs first."""
    found: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.key not in found:
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
    ordered = in_order(targets)
    waiting = [step for step in ordered if store.record(step) is None]
    finished = {step.key for step in ordered} - {step.key for step in waiting}
    told = Told(say, waiting, len(finished))
    context = multiprocessing.get_context("spawn")
    messages: multiprocessing.Queue[Any] = context.Queue()
    running: dict[str, tuple[Step, SpawnProcess]] = {}
    try:
        while waiting or running:
            for step in _ready(waiting, finished)[: processes - len(running)]:
                waiting.remove(step)
                process = context.Process(target=_in_process, args=(step, store.root, messages))
                process.start()
                running[step.key] = step, process
            key, what = _next(messages, running)
            if key is None:
                continue
            step, process = running[key]
            if what is not None:
                told.progress(step, *what)
                continue
            process.join()
            del running[key]
            finished.add(key)
            told.finished(step)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; what is finished, trainings by the epoch, is kept in {store.root}: "
            "the same command goes on"
        ) from None
    finally:
        for _, process in running.values():
            process.kill()
            process.join()


def _ready(waiting: Sequence[Step], finished: set[str]) -> list[Step]:
    return [step for step in waiting if all(need.key in finished for need in step.needs)]


def _next(messages: Any, running: dict[str, tuple[Step, SpawnProcess]]) -> tuple[str | None, Any]:
    """The next message of a process: (key, progress), or (key, None) when it is done, or (None, None)."""
    try:
        key, kind, content = messages.get(timeout=_POLL_S)
    except queue.Empty:
        for step, process in running.values():
            if process.exitcode not in (None, 0):
                raise RunError(f"{step.title}: its process ended with status {process.exitcode}") from None
        return None, None
    step = running[key][0]
    if kind == "refused":
        raise UserError(f"{step.title}: {content}")
    return key, content if kind == "progress" else None


def _in_process(step: Step, root: Any, messages: Any) -> None:
    """Do one step; the parent alone hears Ctrl-C and then ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def progress(part: str, done: int, total: int, figures: dict[str, float]) -> None:
        messages.put((step.key, "progress", (part, done, total, figures)))

    try:
        Store(root).do(step, progress)
    except UserError as error:
        messages.put((step.key, "refused", str(error)))
    else:
        messages.put((step.key, "done", None))
