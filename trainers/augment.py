"""Random crop and flip of a batch of pixels at once."""

import torch
from torch import Tensor


def augment(images_BHWC: Tensor, padding: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Each image shifted by up to `padding` pixels with black coming in, and mirrored half of the time.

    Pixels and not wavelet bands are augmented: shifted coefficients are not those of a shifted image. Draws
    come from `generator` (on the CPU); any device and type of pixels.
    """
    batch, height, width, _ = images_BHWC.shape
    device = images_BHWC.device
    offset_2B = torch.randint(0, 2 * padding + 1, (2, batch), generator=generator).to(device)
    mirrored_B = (torch.rand(batch, generator=generator) < 0.5).to(device) & flip
    row_BH = offset_2B[0, :, None] + torch.arange(height, device=device)
    column_W = torch.arange(width, device=device)
    column_BW = offset_2B[1, :, None] + torch.where(mirrored_B[:, None], column_W.flip(0), column_W)
    padded = torch.nn.functional.pad(images_BHWC, (0, 0, padding, padding, padding, padding))
    index_B = torch.arange(batch, device=device)
    return padded[index_B[:, None, None], row_BH[:, :, None], column_BW[:, None, :]]
