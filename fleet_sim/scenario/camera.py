"""The `camera:` part of a scenario: what a camera sends."""

from typing import Literal

from pydantic import Field

from fleet_sim.basics.spec import Strict
from fleet_sim.codec.pictures import LEVELS


class CameraSpec(Strict):
    """What every camera of the fleet computes and sends."""

    codec: Literal["latent", "label", "jpeg", "webp", "jpeg2000", "raw"] = Field(
        "latent",
        description="latent: bottleneck neurons; label: the answer of the whole network, run on the camera "
        "with the head serving.head; else the picture, which a server decodes and classifies",
    )

    def levels(self, ladder: int) -> int:
        """How many levels the codec has where that of latents has `ladder`."""
        return ladder if self.codec == "latent" else LEVELS.get(self.codec, 1)
