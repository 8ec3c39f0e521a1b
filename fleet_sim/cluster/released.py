"""Released versions as a run has them: their ids, and what brings them to a camera."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from fleet_sim.basics.errors import RunError
from fleet_sim.registry import Bundle
from fleet_sim.registry.delta import delta_of, rebuilt, whole


@dataclass(frozen=True)
class Deployed:
    """A released version as the fleet has it: ids of the encoder and of its heads, by head name."""

    encoder: str
    heads: dict[str, str]


@dataclass(frozen=True)
class Update:
    """A version that the fleet takes up at a period boundary; the simulation waits there for its training."""

    from_us: int
    version: Callable[[], Deployed]


class Packed(TypedDict):
    """Bytes that bring an encoder to a camera that has the first, second ... of those before it.

    They are those of all of it, which are the same for each, or of what it differs in from each.
    """

    whole: list[int]
    delta: list[int]


def packed(before: Sequence[Bundle], after: Bundle) -> Packed:
    """What an encoder weighs as it would travel; RunError unless its deltas rebuild it."""
    deltas = [delta_of(one, after) for one in before]
    for one, delta in zip(before, deltas, strict=True):
        if rebuilt(one, delta).id != after.id:
            raise RunError(f"the delta from encoder {one.id[:16]} to {after.id[:16]} leads elsewhere")
    return {"whole": [len(whole(after))] * len(before), "delta": [len(delta) for delta in deltas]}
