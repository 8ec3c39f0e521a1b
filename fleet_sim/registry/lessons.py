"""What a head is retrained on while a fleet works, and what came of it."""

from dataclasses import dataclass

from fleet_sim.codec.received import Received
from fleet_sim.registry.bundle import Bundle


@dataclass(frozen=True)
class Lessons:
    """Received frames of an encoder, and the head that one of kind ce goes on from."""

    received: Received
    encoder: Bundle
    parent: Bundle | None


@dataclass(frozen=True)
class Retrained:
    """A head as it was taken up, or why it was not."""

    head: str
    version: str | None  # None: it had too little to learn from, and nothing was taken up
    at_us: int
    frames: int  # that had a label
    classes: int  # among those labels
    alarm_us: int | None  # when servers noticed the alarm that it answers, if it does
    encoder: int | None = None  # whose latents it reads, by its place, where a run has several
