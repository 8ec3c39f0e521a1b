"""The `codec:` part of a scenario."""

from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit

BLOCKS: dict[str, tuple[int, ...]] = {
    "tiny": (1, 1, 1),
    "resnet18": (2, 2, 2),
    "resnet34": (3, 4, 6),
    "deep": (2, 2, 2, 2, 2),
}
"""Residual blocks of each module: all but the last are the encoder's, the last is the decoder's."""


class CodecSpec(Strict):
    """Shape of the network and of what it sends."""

    wavelet: Literal["cdf53", "cdf97"] = "cdf53"
    wavelet_levels: int = Field(
        1,
        ge=1,
        le=4,
        description="each halves the sides of what the network sees, at four times the channels; 3 suit "
        "images of 256 pixels",
    )
    depth: Literal["tiny", "resnet18", "resnet34", "deep"] = Field(
        "resnet18",
        description="residual blocks; deep: an encoder of four modules instead of two, for images of 64 "
        "pixels and more",
    )
    width: int = Field(64, ge=4, le=256, description="filters of the first module; the paper has 64")
    neurons: int = Field(128, ge=8, le=1024, description="bottleneck neurons")
    ladder: tuple[int, ...] = Field(
        (), description="kept neurons at each level, rising; empty: eight levels up to all neurons"
    )
    noise_half_width: float = Field(1.0, gt=0, le=2, description="training noise is uniform in +- this")
    batch: int = Field(
        64, ge=1, le=4096, description="the one batch shape in which networks run at inference"
    )

    @model_validator(mode="after")
    def _ladder_fits(self) -> "CodecSpec":
        ladder = self.ladder or tuple(
            sorted({max(1, round(self.neurons * 32 ** ((i - 7) / 7))) for i in range(8)})
        )
        if list(ladder) != sorted(set(ladder)) or ladder[0] < 1 or ladder[-1] > self.neurons:
            raise misfit(
                f"the ladder must rise strictly within 1 to {self.neurons} neurons", "ladder", "neurons"
            )
        if len(ladder) > 16:
            raise misfit(f"a ladder has at most 16 levels; this has {len(ladder)}", "ladder")
        object.__setattr__(self, "ladder", ladder)
        return self
