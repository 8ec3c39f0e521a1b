"""Images brought to one square size."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageOps

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.memory import free_bytes
from fleet_sim.data.dataset import Images

COPIES = 2
"""Of all images, for a moment: as they come from their source, and divided for training and test."""


def squared(image: Image.Image, size: int) -> Images:
    """`image` as RGB uint8 (size, size, 3): the largest centred square, resized with antialiasing."""
    if image.mode.startswith("I;16"):  # convert would cut 16 bits off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    upright = ImageOps.exif_transpose(image)
    fitted = ImageOps.fit(upright.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    return np.asarray(fitted, dtype=np.uint8)


def all_squared(images_NHWC: Images, size: int) -> Images:
    """Every image of `images_NHWC` by `squared`; the array itself where it has that size already."""
    if images_NHWC.shape[1:3] == (size, size):
        return images_NHWC
    pictures = (Image.fromarray(image_HWC) for image_HWC in images_NHWC)
    return gathered((squared(picture, size) for picture in pictures), len(images_NHWC), size)


def gathered(squares: Iterable[Images], count: int, size: int) -> Images:
    """`count` square images as one array, with no other copy of all of them.

    Raises UserError, before the first is made, where memory would not hold them.
    """
    needed, free = COPIES * count * size**2 * 3, free_bytes()
    if free is not None and needed > free:
        raise UserError(
            f"data.image_size: {count:,} images of {size} x {size} pixels take {needed / 1e9:.1f} GB while "
            f"they are read, and {free / 1e9:.1f} GB are free: take smaller or fewer images"
        )
    images_NHWC = np.empty((count, size, size, 3), np.uint8)
    for place, square in enumerate(squares):
        images_NHWC[place] = square
    return images_NHWC
