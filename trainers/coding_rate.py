"""The coding rates whose difference MCR2 works on (Yu et al. 2020), as the paper uses them on unit vectors z.

With N samples, of which N_j in class j, and d the dimension of z (the paper prints D_in; the authors' codes
use this):

    R(Z)   = 1/2 logdet(I + d / (N eps^2) Z Z^T)
    R_c(Z) = sum_j N_j / (2 N) logdet(I + d / (N_j eps^2) Z_j Z_j^T)
    loss   = R_c - R

A determinant is the same on either side, det(I + a Z Z^T) = det(I + a Z^T Z), and so the smaller one is
factored: a class of fewer samples than dimensions costs N_j^3 and not d^3. With A = I + a Z Z^T = L L^T, the
gradient of logdet A by Z is 2 a A^-1 Z, with the inverse from the L that the value came from.

Shapes: B samples of this worker, N of all workers, D dimensions, K classes, G classes side by side, each
padded to M samples with rows of zeros, which change no determinant.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainers.workers import Workers, gather_over_workers


def coding_rates(
    z_BD: Tensor, labels_B: Tensor, classes: int, epsilon_squared: float, workers: Workers
) -> tuple[Tensor, Tensor]:
    """R and R_c in nats over the samples of all workers; the same scalars on each, with their gradients.

    An empty class contributes nothing. The eigenvalues under the determinants lie in [1, 1 + d / eps^2]: a
    Cholesky factorisation in float32 needs no jitter, but it must be float32, so autocast stays out. Raises
    torch.linalg.LinAlgError for values that are not finite.
    """
    with torch.autocast(z_BD.device.type, enabled=False):
        z_ND, labels_N = gather_over_workers(z_BD.float(), labels_B, workers)
        rates: tuple[Tensor, Tensor] = _CodingRates.apply(  # type: ignore[no-untyped-call]
            z_ND, labels_N, classes, z_BD.shape[1] / epsilon_squared
        )
        return rates


class _CodingRates(torch.autograd.Function):
    """Values and gradients at once, since they share the factors."""

    @staticmethod
    def forward(
        ctx: Any, z_ND: Tensor, labels_N: Tensor, classes: int, scale: float
    ) -> tuple[Tensor, Tensor]:
        count = len(z_ND)
        logdet_G, slope_GMD = _log_determinants(z_ND[None], z_ND.new_full((1,), scale / count))
        rate, rate_slope_ND = logdet_G[0] / 2, slope_GMD[0] / 2

        order_N = torch.argsort(labels_N, stable=True)
        count_K = torch.bincount(labels_N, minlength=classes)
        first_K = count_K.cumsum(0) - count_K
        class_rate, class_slope_ND = z_ND.new_zeros(()), torch.empty_like(z_ND)
        wide_K = count_K > z_ND.shape[1]
        for group_K in (wide_K, ~wide_K & (count_K > 0)):
            count_G = count_K[group_K]
            if not len(count_G):
                continue
            place_M = torch.arange(int(count_G.max()), device=z_ND.device)
            real_GM = place_M < count_G[:, None]
            row_GM = order_N[(first_K[group_K][:, None] + place_M).clamp(max=count - 1)]
            z_GMD = z_ND[row_GM] * real_GM[:, :, None]
            logdet_G, slope_GMD = _log_determinants(z_GMD, scale / count_G)
            weight_G = count_G / (2 * count)
            class_rate = class_rate + weight_G @ logdet_G
            class_slope_ND[row_GM[real_GM]] = (weight_G[:, None, None] * slope_GMD)[real_GM]
        ctx.save_for_backward(rate_slope_ND, class_slope_ND)
        return rate, class_rate

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        rate_slope_ND, class_slope_ND = ctx.saved_tensors
        return gradients[0] * rate_slope_ND + gradients[1] * class_slope_ND, None, None, None


def _log_determinants(z_GMD: Tensor, scale_G: Tensor) -> tuple[Tensor, Tensor]:
    """logdet(I + scale Z^T Z) of each group as logdet_G, and its gradient by Z as slope_GMD."""
    by_sample = z_GMD.shape[1] <= z_GMD.shape[2]
    left = z_GMD if by_sample else z_GMD.mT
    inner = scale_G[:, None, None] * left @ left.mT
    inner.diagonal(dim1=-2, dim2=-1).add_(1)
    factor = torch.linalg.cholesky(inner)
    inverse = torch.cholesky_inverse(factor)
    solved = inverse.mul_(2 * scale_G[:, None, None]) @ left
    logdet_G = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    return logdet_G, solved if by_sample else solved.mT
