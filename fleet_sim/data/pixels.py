"""Images brought to one square size."""

import numpy as np
from PIL import Image, ImageOps

from fleet_sim.data.dataset import Images


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
    return np.stack([squared(Image.fromarray(image_HWC), size) for image_HWC in images_NHWC])
