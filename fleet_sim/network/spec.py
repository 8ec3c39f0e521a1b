"""The `link:` part of a scenario."""

from typing import Literal

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.basics.units import BitRate, Bytes, Microseconds


class LinkSpec(Strict):
    """The uplink that the cameras of one cell share."""

    profile: str = Field(
        "shared-cell", pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="name in figures and metrics"
    )
    budget_bps: BitRate = Field(100_000, ge=100, le=10**11, description="uplink capacity of one cell")
    propagation_us: Microseconds = Field(20_000, ge=0, le=10**8)
    header_bytes: Bytes = Field(28, ge=0, le=1000, description="added to each message; IPv4 and UDP take 28")
    buffer_bytes: Bytes = Field(
        1500, ge=64, le=65536, description="room of one camera's queue, headers included"
    )
    sharing: Literal["max_min"] = Field("max_min", description="who sends next: fair queueing by finish tag")
