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
    labels: Literal["own", "coarse", "animals"] = Field(
        "own",
        description="what is asked of the images: the source's own classes, CIFAR-100's 20 coarse ones, or "
        "CIFAR-10's animals against machines",
    )
    labels_path: Path | None = Field(
        None,
        description="training labels of one's own, for the source's own classes, one an image in its order: "
        ".npy of integers, or text with a class name or its number a line",
    )
    corruption: float = Field(0.0, ge=0, le=1, description="share of training labels spoilt at random")
    corruption_kind: Literal["symmetric", "pair"] = Field(
        "symmetric", description="redrawn over all classes, or each moved to the next class"
    )

    @model_validator(mode="after")
    def _path_fits(self) -> "DataSpec":
        if self.source in ("npz", "folder") and self.path is None:
            raise misfit(f"source '{self.source}' needs data.path", "path", "source")
        if self.labels_path is not None and self.corruption:
            raise misfit(
                "labels of one's own bring their own errors: set corruption to 0", "corruption", "labels_path"
            )
        return self
