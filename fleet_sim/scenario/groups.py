"""The `fleet.groups` part of a scenario: cameras that differ."""

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds
from fleet_sim.scenario.capture import DAY_US


class GroupSpec(Strict):
    """Cameras that are alike. Every cell has nearly its share of each group."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    share: float = Field(gt=0, lt=1, description="share of the fleet's cameras")
    frame_period_us: Microseconds | None = Field(
        None, ge=1000, le=DAY_US, description="empty: fleet.frame_period_us"
    )
    importance: int = Field(1, ge=1, le=1000, description="weight of a frame beside those of other groups")
