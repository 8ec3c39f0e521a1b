"""The `rollout:` part of a scenario: how a release reaches the fleet, and what may take it back."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Microseconds
from fleet_sim.network.downlink_spec import AirSpec

WEEK_US = 7 * 86_400_000_000
Error = Annotated[float, Field(gt=0, lt=0.5)]


class NoGuardSpec(Strict):
    """Waves follow each other by the clock alone."""

    kind: Literal["none"] = "none"


class BetsSpec(Strict):
    """How much a guard lets out, and how often it may be wrong"""

    harm: float = Field(
        0.03,
        gt=0,
        le=0.5,
        description="loss that must not get out: in the share of right answers; without labels in that of "
        "frames that two heads answer alike, or of messages that are as an encoder states",
    )
    alpha: Error = Field(
        0.05, description="at most so many releases that are no worse are taken back, of all such"
    )
    beta: Error = Field(0.05, description="at most so many releases worse by `harm` are let on, of all such")


class LabelsGuardSpec(BetsSpec):
    """Few and late labels of the cameras that have the release, against those of the others"""

    kind: Literal["labels"]
    share: float = Field(0.01, gt=0, le=1, description="of the answers get a label, drawn by a hash")
    delay_us: Microseconds = Field(
        60_000_000, ge=0, le=WEEK_US, description="from the end of an answer's second to its label"
    )
    wrong: float = Field(
        0,
        ge=0,
        lt=0.5,
        description="share of the labels that call a right answer wrong, or a wrong one right",
    )


class UnlabelledGuardSpec(BetsSpec):
    """How often two heads agree, and what an encoder's messages say, in the field and on validation images"""

    kind: Literal["unlabelled"]


GuardSpec = Annotated[NoGuardSpec | LabelsGuardSpec | UnlabelledGuardSpec, Field(discriminator="kind")]


class RolloutSpec(Strict):
    """Releases reach the fleet in waves, one release after the other; absent: everybody at once."""

    waves: tuple[float, ...] = Field(
        (0.05, 0.1, 0.2, 0.4, 0.8, 1.0),
        description="shares of the cameras that have a release, rising to 1; the first is the canary",
    )
    wave_us: Microseconds = Field(600_000_000, ge=1000, le=WEEK_US, description="shortest time of a wave")
    guard: GuardSpec = NoGuardSpec()
    air: AirSpec = AirSpec()

    @model_validator(mode="after")
    def _rising(self) -> "RolloutSpec":
        steps = (0.0, *self.waves)
        if len(self.waves) < 2 or any(now >= then for now, then in pairwise(steps)) or self.waves[-1] != 1:
            raise misfit("waves are two shares or more, rising from above 0 to 1", "waves")
        return self
