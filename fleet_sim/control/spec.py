"""The `control:` part of a scenario."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import Microseconds
from fleet_sim.control.names import check_name


class ControlSpec(Strict):
    """How a camera picks the level of a frame."""

    controller: Annotated[str, AfterValidator(check_name)] = Field(
        "budget",
        description="budget, fixed, throughput, aimd, buffer, predictive, drop, frame_bits or value, as "
        "docs/control.md tells; or a function of one's own, `FILE.py:FUNCTION`",
    )
    level: int = Field(7, ge=0, le=15, description="the level that `fixed` always picks")
    allocation: Literal["equal", "max_min", "marginal"] = Field(
        "equal",
        description="what each camera of a cell may plan with; max_min: alike, and what some have no use for "
        "goes to others; marginal: where bits gain most right answers, by importance",
    )
    floor: float = Field(
        0.25, ge=0, le=1, description="marginal: share of an equal part that every camera gets at least"
    )
    headroom: float = Field(0.95, gt=0, le=1, description="share of its rate that a camera plans with")
    confidence_us: Microseconds = Field(
        100,
        ge=0,
        le=10**7,
        description="time that a camera takes to estimate how likely its frame is answered right, beside "
        "fleet.encode_us; for `value` and controllers of one's own",
    )
    period_us: Microseconds = Field(
        1_000_000, ge=1000, description="what crosses shards takes effect at multiples of this time"
    )

    def boundary_us(self, at_us: int) -> int:
        """The first period boundary at or after `at_us`."""
        return -(-at_us // self.period_us) * self.period_us
