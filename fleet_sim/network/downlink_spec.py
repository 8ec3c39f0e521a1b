"""The `rollout.air` part of a scenario: how encoders travel to cameras over the downlink of their cell."""

from fractions import Fraction
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import Bytes, Microseconds
from fleet_sim.network.build import downlink_bps, link_of
from fleet_sim.network.capacity_spec import Probability
from fleet_sim.network.downlink import Downlink
from fleet_sim.network.link import CERTAIN
from fleet_sim.network.spec import LinkSpec

WEEK_US = 7 * 86_400_000_000
SMALLEST_BLOCK_BYTES = 16


class WindowSpec(Strict):
    """A maintenance window that comes again and again; nothing travels between."""

    every_us: Microseconds = Field(86_400_000_000, ge=1000, le=WEEK_US, description="from one to the next")
    from_us: Microseconds = Field(0, ge=0, le=WEEK_US, description="when the first opens")
    open_us: Microseconds = Field(ge=1000, le=WEEK_US, description="how long each is open")

    @model_validator(mode="after")
    def _closes(self) -> "WindowSpec":
        if self.open_us >= self.every_us:
            raise misfit("a window that never closes is none: leave window out", "open_us", "every_us")
        return self


class AirSpec(Strict):
    """Encoders on their way to cameras, one camera of a cell after another."""

    send: Literal["delta", "whole"] = Field(
        "delta", description="what a version differs in from what a camera has, or all of it; packed alike"
    )
    share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="of link.downlink_bps for encoders, kept free for them; all else has the rest",
    )
    block_bytes: Bytes | None = Field(
        None, ge=SMALLEST_BLOCK_BYTES, le=65536, description="content of a packet; empty: as much as fits one"
    )
    block_loss: Probability = Field(0.0, lt=1, description="probability that a block is lost and sent again")
    window: WindowSpec | None = Field(None, description="when encoders may travel; empty: always")
    install_us: Microseconds = Field(
        5_000_000,
        ge=0,
        le=WEEK_US,
        description="from a version's last block until the camera has rebuilt, verified and stored it",
    )
    install_failure: Probability = Field(
        0.0, lt=1, description="probability that a camera's install of a version fails"
    )
    most_failed: Probability = Field(
        0.1, description="share of the cameras it went to whose installs may fail; with more it is taken back"
    )
    keep_us: Microseconds | None = Field(
        None,
        ge=0,
        le=WEEK_US,
        description="how long after an encoder is through servers keep decoders of the one before, whose "
        "messages are then dropped as incompatible; empty: for as long as a camera may have it",
    )


def downlink_of(air: AirSpec, link: LinkSpec) -> Downlink:
    """What a cell's downlink leaves for encoders; raises UserError where a block does not fit it."""
    header_bytes = link.packet_header_bytes
    largest_bytes = link.mtu_bytes - header_bytes
    block_bytes = largest_bytes if air.block_bytes is None else air.block_bytes
    if block_bytes > largest_bytes:
        raise UserError(
            f"rollout.air.block_bytes: a packet of this link carries {largest_bytes} bytes, not {block_bytes}"
        )
    bps = downlink_bps(link, link_of(link).budget_bps, Fraction(str(air.share)))
    window = air.window
    if window and window.open_us < -(-8 * (block_bytes + header_bytes) * 1_000_000 // bps):
        raise UserError(
            f"rollout.air.window.open_us: at {bps} bit/s a block of {block_bytes} bytes takes longer than "
            "the window is open"
        )
    if air.keep_us is not None and air.keep_us < link.propagation_us + link.jitter_us:
        raise UserError(
            f"rollout.air.keep_us: a message may be {link.propagation_us + link.jitter_us} us on its way, so "
            "decoders are needed for that long at least"
        )
    outages = np.array([(o.from_us, o.to_us) for o in link.outages], np.int64).reshape(-1, 2)
    return Downlink(
        bps=bps,
        block_bytes=block_bytes,
        header_bytes=header_bytes,
        lost=round(air.block_loss * CERTAIN),
        every_us=window.every_us if window else 0,
        first_us=window.from_us if window else 0,
        open_us=window.open_us if window else 0,
        outage_from_us_O=outages[:, 0].copy(),
        outage_to_us_O=outages[:, 1].copy(),
    )
