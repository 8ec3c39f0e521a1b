"""The `serving.alarm` part of a scenario."""

from typing import Annotated, Literal

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds


class NoAlarmSpec(Strict):
    """Nothing is watched."""

    kind: Literal["none"] = "none"


class BitsAlarmSpec(Strict):
    """Coded bits against what a version's tables expect, and escaped values, by group of cameras"""

    kind: Literal["bits"]
    window_us: Microseconds = Field(
        10_000_000, ge=1_000_000, le=86_400_000_000, description="frames of this time are judged together"
    )
    learn_windows: int = Field(
        3, ge=2, le=10_000, description="windows from which it is learned what is normal before it can alarm"
    )
    false_alarm_windows: int = Field(
        10_000, ge=10, le=10**9, description="windows between two false alarms of a group, in the mean"
    )


AlarmSpec = Annotated[NoAlarmSpec | BitsAlarmSpec, Field(discriminator="kind")]
