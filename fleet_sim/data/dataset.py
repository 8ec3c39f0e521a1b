"""Labelled images in memory. Shapes: N images, H W pixels, C three colours."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fleet_sim.basics.errors import UserError

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Images of one source with its own division into training and test, of any size; checked when made.

    Raises UserError, naming `origin`, for arrays that are not images with labels.
    """

    origin: str
    train_images_NHWC: Images
    train_labels_N: Labels
    test_images_NHWC: Images
    test_labels_N: Labels
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for part, images_NHWC, labels_N in (
            ("train", self.train_images_NHWC, self.train_labels_N),
            ("test", self.test_images_NHWC, self.test_labels_N),
        ):
            shape = images_NHWC.shape
            if images_NHWC.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3:
                raise UserError(
                    f"{self.origin}: {part} images are {images_NHWC.dtype} {shape}; "
                    "they must be uint8 (images, height, width, 3)"
                )
            if labels_N.dtype != np.int64 or labels_N.shape != shape[:1]:
                raise UserError(
                    f"{self.origin}: {part} labels are {labels_N.dtype} {labels_N.shape}; "
                    f"they must be int64 ({shape[0]},), one an image"
                )
            if not len(labels_N):
                raise UserError(f"{self.origin}: there are no {part} images")
            if labels_N.min() < 0 or labels_N.max() >= len(self.class_names):
                raise UserError(
                    f"{self.origin}: {part} labels run from {labels_N.min()} to {labels_N.max()}; "
                    f"with {len(self.class_names)} classes they must lie in 0..{len(self.class_names) - 1}"
                )
        if len(self.class_names) < 2:
            raise UserError(
                f"{self.origin}: at least two classes are needed, there is {len(self.class_names)}"
            )


@dataclass(frozen=True)
class Dataset:
    """Square images of one size, ready for use.

    Training labels are as trained on, corruption included; validation and test labels are clean.
    """

    train_images_NHWC: Images
    train_labels_N: Labels
    validation_images_NHWC: Images
    validation_labels_N: Labels
    test_images_NHWC: Images
    test_labels_N: Labels
    class_names: tuple[str, ...]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over every array and name."""
        digest = hashlib.sha256()
        for field in fields(self):
            value = np.asarray(getattr(self, field.name))
            digest.update(f"{field.name} {value.dtype.str} {value.shape}".encode())
            digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)  # no copy of images
        return digest.hexdigest()
