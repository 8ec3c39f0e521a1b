"""The `fleet.capture` part of a scenario: when cameras take frames."""

from typing import Annotated, Literal

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds

DAY_US = 86_400_000_000
EVENT_SLOT_US = 1_000_000  # in each of these a cell has at most one event begin


class PeriodicSpec(Strict):
    """Every `fleet.frame_period_us`, from a phase of its own for each camera."""

    kind: Literal["periodic"] = "periodic"


class PoissonSpec(Strict):
    """At random times, `fleet.frame_period_us` apart on average (exponential gaps)."""

    kind: Literal["poisson"]


class BurstsSpec(Strict):
    """Every `fleet.frame_period_us`, and faster while an event passes, which all cameras of a cell see."""

    kind: Literal["bursts"]
    events_per_h: float = Field(
        gt=0, le=3600, description="events that begin in a cell in an hour, on average"
    )
    event_us: Microseconds = Field(ge=1000, le=DAY_US, description="how long a camera sees an event")
    burst_period_us: Microseconds = Field(
        ge=1000, le=DAY_US, description="time between a camera's frames while it does"
    )
    spread_us: Microseconds = Field(
        0, ge=0, le=DAY_US, description="cameras see an event begin up to this later, each at its own time"
    )

    @property
    def event_threshold(self) -> int:
        """32-bit threshold: a draw below it means that an event begins in a slot of EVENT_SLOT_US."""
        return round(self.events_per_h * EVENT_SLOT_US / 3_600_000_000 * 2**32)


CaptureSpec = Annotated[PeriodicSpec | PoissonSpec | BurstsSpec, Field(discriminator="kind")]
