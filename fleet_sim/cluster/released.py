"""Released versions as a run has them: their ids, and what brings them to a camera."""

from collections.abc import Callable
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
    """Bytes that bring an encoder to a camera: all of it, or what it differs in from the one before."""

    whole: int
    delta: int


def packed(before: Bundle, after: Bundle) -> Packed:
    """What an encoder weighs as it would travel; RunError unless its delta rebuilds it."""
    delta = delta_of(before, after)
    if rebuilt(before, delta).id != after.id:
        raise RunError(f"the delta to encoder {after.id[:16]} leads elsewhere")
    return {"whole": len(whole(after)), "delta": len(delta)}
