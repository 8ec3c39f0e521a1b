"""Pictures as a fleet owner would send them, coded and decoded as cameras and servers of a fleet do."""

import numpy as np
from PIL import Image

from fleet_sim.codec.pictures import Setting as Setting
from fleet_sim.codec.pictures import decode, encode

QUALITIES = {"jpeg": (5, 20, 50), "webp": (0, 20, 50), "jpeg2000": (18, 22, 26)}
SETTINGS = (
    Setting("webp", 0, 8),
    *(
        Setting(codec, quality, side)
        for codec in QUALITIES
        for side in (16, 32)
        for quality in QUALITIES[codec]
    ),
)


def send(image: Image.Image, setting: Setting) -> tuple[Image.Image, int]:
    """(the picture as the server has it, in its first size, bytes sent)."""
    payload = encode(np.asarray(image), setting)
    return Image.fromarray(decode(payload, setting, image.width)), len(payload)
