"""The `link:` part of a scenario: the uplink that the cameras of one cell share."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.basics.units import BitRate, Bytes, Microseconds
from fleet_sim.network.capacity_spec import CapacitySpec, ConstantSpec, LoraSpec, TokenBucketSpec, TraceSpec
from fleet_sim.network.lora import LARGEST_PACKET_BYTES
from fleet_sim.network.loss_spec import FadingSpec, LossSpec, NoFadingSpec, NoLossSpec, OutageSpec
from fleet_sim.network.profiles import PROFILES

SMALLEST_ROOM_BYTES = 16  # a message header and a few bytes of payload
# RFC 8724, section 10 and rule 2 of appendix A: both addresses and all else of IP and UDP are known or can be
# computed, but for the last 4 bits of each port; with the rule's number that makes 2 bytes.
COMPRESSED_BYTES = 2
IP_UDP_BYTES = {"schc_ipv4": 28, "schc_ipv6": 48}

Profile = Literal[
    "custom",
    "lorawan-eu868-dr0",
    "lorawan-eu868-dr1",
    "lorawan-eu868-dr2",
    "lorawan-eu868-dr3",
    "lorawan-eu868-dr4",
    "lorawan-eu868-dr5",
    "nb-iot-nb1",
    "nb-iot-nb2",
    "lte-m",
    "wifi-halow",
    "4g",
    "ethernet",
]


class LinkSpec(Strict):
    """An uplink, its headers, its queues, and what it loses. `docs/links.md` tells it in order."""

    profile: Profile = Field(
        "custom", description="a link by name: what the fields below are where a scenario leaves them out"
    )
    budget_bps: BitRate | None = Field(
        100_000,
        ge=100,
        le=10**11,
        description="mean uplink capacity of one cell; empty only with capacity.scale, which gives it",
    )
    capacity: CapacitySpec = ConstantSpec()
    sharing: Literal["dedicated", "fifo", "round_robin", "max_min", "proportional_fair", "aloha"] = Field(
        "max_min", description="who of a cell sends next; dedicated: every camera is a cell of its own"
    )
    channels: int = Field(1, ge=1, le=64, description="aloha: a packet takes one of these at random")
    half_life_us: Microseconds = Field(
        1_000_000, ge=1000, le=10**10, description="proportional_fair: what was served counts half after this"
    )
    fading: FadingSpec = NoFadingSpec()
    propagation_us: Microseconds = Field(20_000, ge=0, le=10**8)
    jitter_us: Microseconds = Field(
        0, ge=0, le=10**8, description="arrivals are late by up to this, at random"
    )
    header_bytes: Bytes = Field(28, ge=0, le=1000, description="of each packet; IPv4 and UDP take 28")
    header_compression: Literal["none", "schc_ipv4", "schc_ipv6"] = Field(
        "none", description="what of header_bytes is IP and UDP becomes 2 bytes, as by RFC 8724"
    )
    mtu_bytes: Bytes = Field(1500, ge=32, le=65536, description="largest packet, headers included")
    fragment_bytes: Bytes = Field(
        1, ge=0, le=100, description="further header of each packet of a message that takes several"
    )
    aggregate: int = Field(1, ge=1, le=64, description="most messages of a camera in one packet")
    aggregate_wait_us: Microseconds = Field(
        0, ge=0, le=10**10, description="longest wait of a message for others to share its packet"
    )
    buffer_bytes: Bytes = Field(
        1500, ge=64, le=65536, description="room of one camera's queue, headers included"
    )
    queue: Literal["late", "tail", "head", "expired"] = Field(
        "late", description="what is dropped: late: a packet too late for its deadline, as the link "
        "foresees, and the newest that finds no room; expired: one that has not begun by then, and the "
        "newest; tail: only the newest; head: only the oldest"
    )  # fmt: skip
    loss: LossSpec = NoLossSpec()
    retries: int = Field(0, ge=0, le=100, description="times that a lost packet is sent again")
    backoff_us: Microseconds = Field(
        0, ge=0, le=10**9, description="aloha: a retry waits up to this at random"
    )
    downlink_bps: BitRate | None = Field(
        None, ge=100, le=10**12, description="rate of what tells of a loss; empty: as the uplink"
    )
    feedback_bytes: Bytes = Field(32, ge=0, le=1500, description="size of what tells of a loss")
    duty_cycle: float = Field(
        1.0,
        ge=0.0001,
        le=1,
        description="share of the time that a camera may send; it rests after each packet",
    )
    outages: tuple[OutageSpec, ...] = Field((), description="when no cell carries anything")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_profile(cls, data: Any) -> Any:
        """Fields that were left out take the profile's figures; a trace with a scale has its own mean."""
        if not isinstance(data, Mapping):
            return data
        capacity = data.get("capacity")
        name = data.get("profile", "custom")
        filled = {**(PROFILES.get(name, {}) if isinstance(name, str) else {}), **data}
        capacity = filled.get("capacity")
        if isinstance(capacity, Mapping) and (capacity.get("scale") or capacity.get("kind") == "lora"):
            filled["budget_bps"] = data.get("budget_bps")
        return filled

    @property
    def packet_header_bytes(self) -> int:
        """Headers of a packet as they are sent, in bytes."""
        if self.header_compression == "none":
            return self.header_bytes
        return self.header_bytes - IP_UDP_BYTES[self.header_compression] + COMPRESSED_BYTES

    @model_validator(mode="after")
    def _a_message_fits(self) -> "LinkSpec":
        replaced = IP_UDP_BYTES.get(self.header_compression, 0)
        if self.header_bytes < replaced:
            raise misfit(
                f"{self.header_bytes} bytes of headers hold no IP and UDP of {replaced} bytes to compress",
                "header_compression",
                "header_bytes",
            )
        header = self.packet_header_bytes
        if self.buffer_bytes < header + SMALLEST_ROOM_BYTES:
            raise misfit(
                f"no message fits a queue of {self.buffer_bytes} bytes beside {header} of headers",
                "buffer_bytes",
                "header_bytes",
            )
        if self.mtu_bytes < header + self.fragment_bytes + SMALLEST_ROOM_BYTES:
            raise misfit(
                f"a packet of {self.mtu_bytes} bytes has no room for a message beside {header} of headers",
                "mtu_bytes",
                "header_bytes",
                "fragment_bytes",
            )
        if self.aggregate == 1 and self.aggregate_wait_us:
            raise misfit("there is no other message to wait for", "aggregate_wait_us", "aggregate")
        return self

    @model_validator(mode="after")
    def _capacity_fits(self) -> "LinkSpec":
        capacity = self.capacity
        scaled = isinstance(capacity, TraceSpec) and capacity.scale is not None
        own_mean = scaled or isinstance(capacity, LoraSpec)
        if own_mean and self.budget_bps is not None:
            other = "capacity.scale" if scaled else "capacity.spreading_factor"
            raise misfit(f"{other} says how much the link carries: leave budget_bps out", "budget_bps", other)
        if not own_mean and self.budget_bps is None:
            raise misfit(
                "a capacity is needed; only a trace's scale or LoRa stands for one", "budget_bps", "capacity"
            )
        if isinstance(capacity, TokenBucketSpec):
            if capacity.bucket_bytes < self.mtu_bytes:
                raise misfit(
                    f"a packet of {self.mtu_bytes} bytes would wait for ever for a bucket of "
                    f"{capacity.bucket_bytes}",
                    "capacity.bucket_bytes",
                    "mtu_bytes",
                )
            if self.budget_bps is not None and capacity.line_bps < self.budget_bps:
                raise misfit(
                    f"tokens at {self.budget_bps} bit/s cannot be spent at {capacity.line_bps} bit/s",
                    "capacity.line_bps",
                    "budget_bps",
                )
        if isinstance(capacity, LoraSpec) and self.mtu_bytes > LARGEST_PACKET_BYTES:
            raise misfit(
                f"a LoRa packet has at most {LARGEST_PACKET_BYTES} bytes", "mtu_bytes", "capacity.kind"
            )
        ends = [at_us for outage in self.outages for at_us in (outage.from_us, outage.to_us)]
        if ends != sorted(set(ends)):
            raise misfit("outages must follow one another, with time between them", "outages")
        return self

    @model_validator(mode="after")
    def _sharing_fits(self) -> "LinkSpec":
        kind, aloha = self.capacity.kind, self.sharing == "aloha"
        alone = aloha or self.sharing == "dedicated"  # nobody tells a camera when to send
        if aloha and kind not in ("constant", "lora"):
            raise misfit(
                f"packets that collide have a constant rate or LoRa's time on air, not {kind} capacity",
                "sharing",
                "capacity.kind",
            )
        if kind == "lora" and not alone:
            raise misfit(
                f"LoRa's cameras send when they like: aloha or dedicated, not {self.sharing}",
                "sharing",
                "capacity.kind",
            )
        if not aloha:
            for field, value, without in (("channels", self.channels, 1), ("backoff_us", self.backoff_us, 0)):
                if value != without:
                    raise misfit(
                        f"{field} is for sharing: aloha; with {self.sharing} it is {without}",
                        field,
                        "sharing",
                    )
        if self.duty_cycle < 1 and not alone:
            raise misfit(
                f"a duty cycle is for cameras that send when they like, not for {self.sharing}",
                "duty_cycle",
                "sharing",
            )
        if self.fading.kind != "none" and alone:
            raise misfit(
                f"fading is for cameras that take turns, not for {self.sharing}", "fading.kind", "sharing"
            )
        if self.sharing == "proportional_fair" and self.fading.kind == "none":
            raise misfit(
                "proportional_fair without fading is max_min: say in link.fading how rates differ", "sharing"
            )
        return self
