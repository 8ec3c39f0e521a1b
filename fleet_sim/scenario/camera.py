"""The `camera:` part of a scenario: what a camera sends, and what it is made of."""

from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit
from fleet_sim.camera.radios import Radio
from fleet_sim.codec.pictures import ladder


class RadioSpec(Strict):
    """A radio of one's own."""

    pj_per_bit: int = Field(ge=0, le=10**12, description="picojoule for a bit on the air")
    wake_nj: int = Field(ge=0, le=10**14, description="nanojoule to wake for a message, and to fall asleep")
    sleep_uw: int = Field(0, ge=0, le=10**9, description="microwatt between messages")
    eur_per_mb: float = Field(0.0, ge=0, description="tariff")
    receive_uw: int = Field(
        0, ge=0, le=10**9, description="microwatt while a packet of an encoder is on the air to it"
    )

    def made(self) -> Radio:
        """The radio."""
        return Radio(**self.model_dump())


class CameraSpec(Strict):
    """What every camera of the fleet computes and sends."""

    codec: Literal["latent", "label", "jpeg", "webp", "jpeg2000", "raw"] = Field(
        "latent",
        description="latent: bottleneck neurons; label: the answer of the whole network, run on the camera "
        "with the head serving.head; else the picture, which a server decodes and classifies",
    )
    device: Literal["microcontroller", "board", "npu"] | None = Field(
        None,
        description="what the codec runs on: its multiply-adds take time, in place of fleet.encode_us, and "
        "energy; empty: neither is counted",
    )
    radio: RadioSpec | None = Field(None, description="with a device; empty: that of link.profile")
    battery_wh: float = Field(5.0, gt=0, le=10**6, description="3GPP TR 45.820 plans with 5 Wh")

    def levels(self, of_latents: int, image_size: int) -> int:
        """How many levels the codec has for images of this size, where latents have `of_latents`."""
        if self.codec == "latent":
            return of_latents
        return 1 if self.codec == "label" else len(ladder(self.codec, image_size))

    @model_validator(mode="after")
    def _a_radio_has_a_camera(self) -> "CameraSpec":
        if self.radio is not None and self.device is None:
            raise misfit("energy is counted with a camera.device only", "radio", "device")
        return self
