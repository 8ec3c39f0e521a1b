"""Multiply-adds of what cameras may run, and how many weights they keep, from the shape of the networks.

Convolutions and linear layers, without biases and batch statistics. Entropy coding counts nothing, for
latents and pictures alike, nor does what WebP tries before it chooses: what pictures take is a lower bound.
"""

from typing import NamedTuple

from fleet_sim.codec.spec import BLOCKS, CodecSpec

TAPS = {"cdf53": 5 + 3, "cdf97": 9 + 7}
MAP_SIDE = 8  # of the map that a latent decoder makes

# A pixel: three colours turned (9); of each a transform by rows and columns, and one step of quantisation.
# JPEG's is 8 x 8 (16 multiply-adds), WebP's 4 x 4 (8); JPEG 2000's is the wavelet CDF 9/7 on all levels.
_COLOURS = 9
_PICTURE = {
    "raw": 0.0,
    "jpeg": _COLOURS + 3 * (16 + 1),
    "webp": _COLOURS + 3 * (8 + 1),
    "jpeg2000": _COLOURS + 3 * (TAPS["cdf97"] * 4 / 3 + 1),
}


class Work(NamedTuple):
    """Of one frame: multiply-adds, and weights that must be at hand."""

    multiply_adds: int
    weights: int

    def and_then(self, other: "Work") -> "Work":
        """Both."""
        return Work(self.multiply_adds + other.multiply_adds, self.weights + other.weights)


NOTHING = Work(0, 0)


def _layer(positions: int, weights: int) -> Work:
    return Work(positions * weights, weights)


def _module(channels_in: int, channels: int, stride: int, blocks: int, side: int) -> tuple[Work, int]:
    """Residual blocks of two 3 x 3 convolutions, and the side of their map."""
    side = -(-side // stride)
    work = NOTHING
    for block in range(blocks):
        first_in = channels_in if block == 0 else channels
        work = work.and_then(_layer(side**2, 9 * channels * (first_in + channels)))
        if block == 0 and (stride != 1 or channels_in != channels):
            work = work.and_then(_layer(side**2, channels_in * channels))
    return work, side


def encoder_work(spec: CodecSpec, image_size: int) -> Work:
    """Wavelet and encoder, for pictures of this size."""
    taps = image_size**2 * 3 * TAPS[spec.wavelet]
    wavelet = Work(int(taps * sum(0.25**level for level in range(spec.wavelet_levels))), 0)
    side, width = image_size >> spec.wavelet_levels, spec.width
    work = wavelet.and_then(_layer(side**2, 9 * 3 * 4**spec.wavelet_levels * width))
    channels = width
    for place, blocks in enumerate(BLOCKS[spec.depth][:-1]):
        module, side = _module(channels, width << place, 2 if place else 1, blocks, side)
        work, channels = work.and_then(module), width << place
    return work.and_then(_layer(1, channels * 8 * width + 8 * width * spec.neurons))


def head_work(spec: CodecSpec, kind: str, classes: int) -> Work:
    """What reads a latent: a linear classifier (`svm`), or latent decoder and third module."""
    if kind == "svm":
        return _layer(1, spec.neurons * classes)
    channels = 2 * spec.width
    decoder = _layer(1, 4 * spec.neurons * channels)
    for positions in (4, 16):
        decoder = decoder.and_then(_layer(positions, 4 * channels**2))
    third, _ = _module(channels, 2 * channels, 2, BLOCKS[spec.depth][-1], MAP_SIDE)
    return decoder.and_then(third).and_then(_layer(1, 2 * channels * classes))


def picture_work(codec: str, image_size: int) -> Work:
    """Coding a picture in its full size."""
    return Work(round(_PICTURE[codec] * image_size**2), 0)
