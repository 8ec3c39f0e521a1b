"""Images as a camera sees them when the weather or the light is bad.

Five severities each. What is done follows physics where it is simple: fog by Koschmieder's law, contrast
falling off exponentially with distance (here the upper part of an image is the farther one); night as fewer
photons, which arrive by a Poisson law; noise as Gaussian noise of the sensor; blur as a Gaussian lens.
"""

import numpy as np
from scipy import ndimage

from fleet_sim.data.dataset import Images
from fleet_sim.data.looks import CLEAR, Look
from fleet_sim.data.split import generator

_AIRLIGHT = 217.0  # grey that fog turns everything into
_FOG_DEPTHS = (0.3, 0.6, 0.9, 1.3, 1.8)  # optical depth at mid-height
_BLUR_PIXELS = (0.4, 0.6, 0.8, 1.1, 1.5)  # standard deviation in an image of 32 pixels a side
_NOISE_LEVELS = (6.0, 12.0, 20.0, 30.0, 44.0)  # standard deviation, of 255
_NIGHT_LIGHT = (0.6, 0.45, 0.3, 0.2, 0.12)  # share of the light that is left
_PHOTONS = 400.0  # behind a value of 255 by day
_TOGETHER = 64  # images whose floating-point values are held at a time


def seen(images_NHWC: Images, look: Look, seed: int) -> Images:
    """The same images as they look then; what is random in it follows from `seed`."""
    if look == CLEAR:
        return images_NHWC
    draws = generator(seed, f"{look.kind} {look.severity}")
    seen_NHWC = np.empty_like(images_NHWC)
    for first in range(0, len(images_NHWC), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        seen_NHWC[some] = _changed(images_NHWC[some], look, draws)
    return seen_NHWC


def _changed(images_NHWC: Images, look: Look, draws: np.random.Generator) -> Images:
    value_NHWC = images_NHWC.astype(np.float64)
    height = images_NHWC.shape[1]
    place = look.severity - 1
    if look.kind == "fog":
        depth_H = _FOG_DEPTHS[place] * np.linspace(1.5, 0.5, height)
        through_H = np.exp(-depth_H)[:, None, None]
        value_NHWC = value_NHWC * through_H + _AIRLIGHT * (1 - through_H)
    elif look.kind == "blur":
        pixels = _BLUR_PIXELS[place] * height / 32
        value_NHWC = ndimage.gaussian_filter(value_NHWC, (0, pixels, pixels, 0), mode="nearest")
    elif look.kind == "noise":
        value_NHWC = value_NHWC + draws.normal(0, _NOISE_LEVELS[place], value_NHWC.shape)
    else:
        photons_NHWC = draws.poisson(value_NHWC / 255 * _PHOTONS * _NIGHT_LIGHT[place])
        value_NHWC = photons_NHWC / _PHOTONS * 255
    return np.clip(np.rint(value_NHWC), 0, 255).astype(np.uint8)
