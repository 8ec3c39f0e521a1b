"""The `fleet.groups` part of a scenario: cameras that differ, and what they see."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.data.looks import CLEAR, SEVERITIES, Kind, Look
from fleet_sim.scenario.capture import DAY_US

Weight = Annotated[float, Field(gt=0)]


class ViewSpec(Strict):
    """What cameras see from a time on: a mix of classes, in one look."""

    from_us: Microseconds = Field(0, ge=0)
    ramp_us: Microseconds = Field(
        0, ge=0, description="time over which frames change from what was seen before"
    )
    classes: dict[str, Weight] = Field(
        {}, description="weights by class name; empty: as the images have them"
    )
    look: Kind = "clear"
    severity: int = Field(3, ge=1, le=SEVERITIES, description="of any look but clear")

    @property
    def seen(self) -> Look:
        """Its look as images are made in it."""
        return CLEAR if self.look == "clear" else Look(self.look, self.severity)


class GroupLinkSpec(Strict):
    """How cameras of a group reach their cell."""

    rate: float = Field(
        1.0, ge=0.001, le=1, description="share of the cell's rate at which they send; less far from its mast"
    )


class GroupSpec(Strict):
    """Cameras that are alike. Every cell has nearly its share of each group."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    share: float = Field(gt=0, le=1, description="share of the fleet's cameras")
    frame_period_us: Microseconds | None = Field(
        None, ge=1000, le=DAY_US, description="empty: fleet.frame_period_us"
    )
    importance: int = Field(1, ge=1, le=1000, description="weight of a frame beside those of other groups")
    link: GroupLinkSpec = GroupLinkSpec()
    sees: tuple[ViewSpec, ...] = Field((), description="what they see from when; empty: any image, clear")

    @model_validator(mode="after")
    def _one_after_the_other(self) -> "GroupSpec":
        if self.sees and (self.sees[0].from_us or self.sees[0].ramp_us):
            raise misfit(
                "what is seen first is seen from 0 on, without a ramp", "sees.0.from_us", "sees.0.ramp_us"
            )
        for i, (before, after) in enumerate(pairwise(self.sees), start=1):
            if before.from_us + before.ramp_us > after.from_us:
                raise misfit(
                    "a view begins when the one before is there with its ramp over", f"sees.{i}.from_us"
                )
        return self
