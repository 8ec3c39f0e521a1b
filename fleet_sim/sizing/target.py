"""What is asked of a fleet, as a user writes it: ``accuracy_on_time=0.9``, ``latency_ms.p99=500``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet_sim.basics.errors import UserError, instead

# By name in a row of points: is more better?
FIGURES = {
    "accuracy_on_time": True,
    "accuracy": True,
    "latency_ms.p50": False,
    "latency_ms.p95": False,
    "latency_ms.p99": False,
    "battery_days": True,
}
_ENERGY = ("battery_days",)


@dataclass(frozen=True)
class Target:
    """A bound that a figure must keep."""

    figure: str
    bound: float

    @property
    def words(self) -> str:
        """The target as part of a sentence."""
        return f"{self.figure} of {'at least' if FIGURES[self.figure] else 'at most'} {self.bound:g}"

    def margin(self, row: Mapping[str, Any]) -> float:
        """How far a point's figures are on the right side of the bound, as a share of it; below 0: missed.

        A figure that has no value, as where nothing was answered, misses by the whole bound.
        """
        if self.figure in _ENERGY and "energy" not in row:
            raise UserError(f"--target {self.figure}: cameras take energy with a camera.device only")
        found: Any = row["energy"] if self.figure in _ENERGY else row
        for name in self.figure.split("."):
            found = found[name]
        if found is None:
            return -1.0
        more = (float(found) - self.bound) / self.bound
        return more if FIGURES[self.figure] else -more


def read_target(text: str) -> Target:
    """The target in ``figure=bound``; UserError says what it may be."""
    name, equals, bound = (part.strip() for part in text.partition("="))
    if name not in FIGURES:
        raise UserError(f"--target {text}: unknown figure '{name}'; {instead(name, FIGURES)}")
    try:
        value = float(bound)
    except ValueError:
        value = 0.0
    if not equals or not 0 < value < float("inf"):
        raise UserError(f"--target {text}: expected {name}= and a number above 0, such as {name}=0.9")
    if name.startswith("accuracy") and value > 1:
        raise UserError(f"--target {text}: {name} is a share, at most 1")
    return Target(name, value)
