"""The `data:` part of a scenario."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from fleet_sim.basics.spec import Strict, misfit


class DataSpec(Strict):
    """Where labelled images come from."""

    source: Literal["digits", "cifar10", "cifar100", "npz", "folder"] = "digits"
    path: Path | None = Field(
        None,
        description="npz: the file; folder: a folder with one folder a class (optionally below train/ and "
        "test/); cifar10 and cifar100: torchvision's root, filled by download, or an .npz file",
    )
    image_size: int = Field(32, ge=8, le=256, description="pixels a side; other sizes are resized")
    scenes: int | None = Field(None, ge=1, description="use only this many test images as what cameras see")
    validation_share: float = Field(
        0.1, gt=0, lt=0.5, description="share of training images kept for choices"
    )
    corruption: float = Field(
        0.0, ge=0, le=1, description="share of training labels redrawn over all classes"
    )

    @model_validator(mode="after")
    def _path_fits(self) -> "DataSpec":
        if self.source in ("npz", "folder") and self.path is None:
            raise misfit(f"source '{self.source}' needs data.path", "path", "source")
        return self
