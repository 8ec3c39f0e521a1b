"""The quantiser: rounding when deployed, uniform noise in its place while training.

Rounding has no useful gradient, so training adds noise (Balle et al. 2017 take a half-width of 1/2, the
paper 1). Shapes: B batch, N neurons.
"""

import torch
from torch import Tensor


def add_noise(latent_BN: Tensor, unit_noise_BN: Tensor, half_width: float) -> Tensor:
    """`latent_BN` plus noise uniform in +-`half_width`, from `unit_noise_BN` uniform in [0, 1)."""
    return latent_BN + (2 * unit_noise_BN - 1) * half_width


def round_latent(latent_BN: Tensor) -> Tensor:
    """Nearest whole number, half to even, as float; no gradient passes."""
    return torch.round(latent_BN.detach())
