"""The `link:` part of a scenario."""

from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import BitRate, Bytes, Microseconds

SMALLEST_ROOM_BYTES = 16  # a message header and a few bytes of payload


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

    @model_validator(mode="after")
    def _a_packet_fits(self) -> "LinkSpec":
        if self.buffer_bytes < self.header_bytes + SMALLEST_ROOM_BYTES:
            raise misfit(
                f"no message fits a queue of {self.buffer_bytes} bytes beside {self.header_bytes} of headers",
                "buffer_bytes",
                "header_bytes",
            )
        return self
