"""The `control:` part of a scenario."""

from typing import Literal

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds


class ControlSpec(Strict):
    """How a camera picks the level of a frame."""

    controller: Literal["budget", "fixed"] = "budget"
    level: int = Field(7, ge=0, le=15, description="the level that `fixed` always picks")
    headroom: float = Field(0.95, gt=0, le=1, description="share of its fair rate that `budget` plans with")
    period_us: Microseconds = Field(
        1_000_000, ge=1000, description="what crosses shards takes effect at multiples of this time"
    )

    def boundary_us(self, at_us: int) -> int:
        """The first period boundary at or after `at_us`."""
        return -(-at_us // self.period_us) * self.period_us
