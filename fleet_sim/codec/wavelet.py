"""The JPEG 2000 wavelets, as the camera runs them and as training does.

Shapes: N or B images, H W pixels, C channels, S pixels a side, L rows of the low half of S.

Each level splits the low band LL again. The finer high bands are brought to the coarsest grid by
space-to-depth, so that all bands of an image form one array of 3 * 4**levels channels, ordered by colour, and
within a colour: LL, H, V, D of the coarsest level, then H, V, D of each finer level.

PyWavelets extends a signal by more samples than are needed and returns `(taps - 2) / 2` more coefficients
than half the signal; mode 'reflect' and this crop equal the lifting of JPEG 2000 with symmetric extension.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pywt
import torch
from torch import Tensor, nn

WaveletName = Literal["cdf53", "cdf97"]
_PYWT_NAME = {"cdf53": "bior2.2", "cdf97": "bior4.4"}


def _check_size(size: int, levels: int) -> None:
    if size % 2**levels:
        raise ValueError(f"{levels} wavelet levels need sides that are multiples of {2**levels}, not {size}")


def _crop(size: int, filters: pywt.Wavelet) -> slice:
    start = (filters.dec_len - 2) // 4
    return slice(start, start + size // 2)


def _space_to_depth(bands_NCHW: npt.NDArray[np.float64], factor: int) -> npt.NDArray[np.float64]:
    """`factor` x `factor` patches of a channel become factor**2 channels, as by `torch.pixel_unshuffle`."""
    n, c, h, w = bands_NCHW.shape
    patches = bands_NCHW.reshape(n, c, h // factor, factor, w // factor, factor)
    return patches.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * factor**2, h // factor, w // factor)


def analyse(images_NHWC: npt.NDArray[np.uint8], wavelet: WaveletName, levels: int) -> npt.NDArray[np.float32]:
    """Bands of `images_NHWC` scaled to [0, 1]: (N, 3 * 4**levels, H / 2**levels, W / 2**levels).

    Raises ValueError when a side is not a multiple of 2**levels.

    >>> analyse(np.full((1, 8, 8, 3), 255, np.uint8), "cdf53", 1).shape
    (1, 12, 4, 4)
    """
    n, height, width, colours = images_NHWC.shape
    _check_size(height, levels)
    _check_size(width, levels)
    filters = pywt.Wavelet(_PYWT_NAME[wavelet])
    low = images_NHWC.transpose(0, 3, 1, 2).reshape(n * colours, height, width) / 255.0
    finest_first: list[npt.NDArray[np.float64]] = []
    for _ in range(levels):
        window = (slice(None), _crop(low.shape[-2], filters), _crop(low.shape[-1], filters))
        low, high = pywt.dwt2(low, filters, mode="reflect")
        low = low[window]
        finest_first.append(np.stack([band[window] for band in high], axis=1))
    bands = [low[:, None]]
    for level, high_bands in enumerate(reversed(finest_first)):
        bands.append(_space_to_depth(high_bands, 2**level))
    stacked = np.concatenate(bands, axis=1).astype(np.float32)
    return stacked.reshape(n, colours * 4**levels, *low.shape[-2:])


def _matrices(size: int, wavelet: WaveletName) -> tuple[Tensor, Tensor]:
    """Low and high analysis of `size` samples as two matrices (size / 2, size)."""
    filters = pywt.Wavelet(_PYWT_NAME[wavelet])
    low, high = pywt.dwt(np.eye(size), filters, mode="reflect", axis=0)
    window = _crop(size, filters)
    return torch.from_numpy(low[window]).float(), torch.from_numpy(high[window]).float()


class Wavelet(nn.Module):
    """`analyse` for square images already scaled to [0, 1], on any device; equal to it within 1e-5.

    Its matrices follow from its arguments, so they are no part of a checkpoint.
    """

    def __init__(self, image_size: int, wavelet: WaveletName, levels: int) -> None:
        super().__init__()
        _check_size(image_size, levels)
        self.levels = levels
        for level in range(levels):
            low_LS, high_LS = _matrices(image_size >> level, wavelet)
            self.register_buffer(f"low{level}", low_LS, persistent=False)
            self.register_buffer(f"high{level}", high_LS, persistent=False)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Bands (B, C * 4**levels, H / 2**levels, W / 2**levels) of `images_BCHW`."""
        low = images_BCHW
        finest_first: list[Tensor] = []
        for level in range(self.levels):
            low_LS = self.get_buffer(f"low{level}")
            high_LS = self.get_buffer(f"high{level}")
            by_row_low, by_row_high = low @ low_LS.T, low @ high_LS.T
            horizontal, vertical, diagonal = high_LS @ by_row_low, low_LS @ by_row_high, high_LS @ by_row_high
            finest_first.append(torch.stack([horizontal, vertical, diagonal], dim=2))
            low = low_LS @ by_row_low
        bands = [low.unsqueeze(2)]
        for level, high_BC3HW in enumerate(reversed(finest_first)):
            bands.append(nn.functional.pixel_unshuffle(high_BC3HW, 2**level))
        return torch.cat(bands, dim=2).flatten(1, 2)
