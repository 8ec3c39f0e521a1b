"""What a run of steps says: a line as each ends, and now and then how far the running ones are."""

import time
from collections.abc import Callable, Sequence

from trainers.reproduce.store import Step

SECONDS_BETWEEN_WORDS = 20.0


class Told:
    """Keeps count of the work and puts it into lines for `say`."""

    def __init__(self, say: Callable[[str], None], waiting: Sequence[Step]) -> None:
        self._say = say
        self._cost = {step.key: step.cost for step in waiting}
        self._share = dict.fromkeys(self._cost, 0.0)
        # What an earlier sitting did of a step counts as done, not towards the pace of this one.
        self._share_before: dict[str, float] = {}
        self._ended = 0
        self._began_s = self._last_word_s = time.monotonic()

    def progress(self, step: Step, part: str, done: int, total: int, figures: dict[str, float]) -> None:
        """A running step has done `done` of `total` of a part."""
        self._share[step.key] = done / total
        self._share_before.setdefault(step.key, done / total)
        if time.monotonic() - self._last_word_s > SECONDS_BETWEEN_WORDS:
            self._last_word_s = time.monotonic()
            shown = "".join(f", {name} {value:.4g}" for name, value in figures.items())
            self._say(f"  {step.title}: {part} {done} of {total}{shown}{self._left()}")

    def finished(self, step: Step) -> None:
        """A step is done."""
        self._share[step.key] = 1.0
        self._share_before.setdefault(step.key, 0.0)
        self._ended += 1
        self._say(f"{self._ended}/{len(self._cost)} {step.title}{self._left()}")

    def _left(self) -> str:
        left = sum(cost * (1 - self._share[key]) for key, cost in self._cost.items())
        moved = sum(
            self._cost[key] * (self._share[key] - before) for key, before in self._share_before.items()
        )
        if not left or moved <= 0:
            return ""
        left_s = (time.monotonic() - self._began_s) * left / moved
        return f"; about {left_s / 60:.0f} min left" if left_s >= 60 else f"; about {left_s:.0f} s left"
