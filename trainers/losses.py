"""Losses.

The coding rate reduction MCR2 (Yu et al. 2020) as the paper uses it, for unit vectors z. With N samples, of
which N_j in class j, and d the dimension of z (the paper prints D_in; the authors' codes use this):

    R(Z)   = 1/2 logdet(I + d / (N eps^2) Z Z^T)
    R_c(Z) = sum_j N_j / (2 N) logdet(I + d / (N_j eps^2) Z_j Z_j^T)
    loss   = R_c - R

Shapes: B samples of this worker, D dimensions, K classes, M samples of the largest class.
"""

import torch
from torch import Tensor

from trainers.workers import Workers, sum_over_workers


def mcr2(z_BD: Tensor, labels_B: Tensor, classes: int, epsilon_squared: float, workers: Workers) -> Tensor:
    """R_c - R in nats over the samples of all workers; the same scalar on each.

    Only the class scatters Z_j Z_j^T and counts cross workers. They are sums over samples, so that loss and
    gradient with respect to z are those of one worker on the joint batch. An empty class contributes nothing.
    The eigenvalues under the determinants lie in [1, 1 + d / eps^2]: a Cholesky factorisation in float32
    needs no jitter, but it must be float32, so autocast stays out.
    """
    dimensions = z_BD.shape[1]
    with torch.autocast(z_BD.device.type, enabled=False):
        scatter_KDD, count_K = class_scatters(z_BD.float(), labels_B, classes)
        scatter_KDD = sum_over_workers(scatter_KDD, workers)
        count_K = workers.all_reduce_sum(count_K)
        total = count_K.sum()
        scale = dimensions / epsilon_squared
        whole = log_determinant(scatter_KDD.sum(dim=0) * (scale / total))
        by_class_K = log_determinant(scatter_KDD * (scale / count_K.clamp(min=1))[:, None, None])
        return ((count_K / total) @ by_class_K - whole) / 2


def class_scatters(z_BD: Tensor, labels_B: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Z_j Z_j^T of each class as scatter_KDD, and the samples of each class as float count_K.

    Samples are laid out by class, padded to the largest, so one batched product does all classes: K x M x D
    numbers, where the usual membership tensor has K x B x B.
    """
    count_K = torch.bincount(labels_B, minlength=classes)
    order_B = torch.argsort(labels_B, stable=True)
    sorted_B = labels_B[order_B]
    first_K = count_K.cumsum(0) - count_K
    place_B = torch.arange(len(labels_B), device=labels_B.device) - first_K[sorted_B]
    padded_KMD = z_BD.new_zeros(classes, int(count_K.max()), z_BD.shape[1])
    padded_KMD = padded_KMD.index_put((sorted_B, place_B), z_BD[order_B])
    return padded_KMD.mT @ padded_KMD, count_K.to(z_BD.dtype)


def log_determinant(scaled_scatter: Tensor) -> Tensor:
    """logdet(I + S) of symmetric S >= 0, shape (..., D, D), by Cholesky factorisation."""
    identity = torch.eye(scaled_scatter.shape[-1], dtype=scaled_scatter.dtype, device=scaled_scatter.device)
    factor = torch.linalg.cholesky(identity + scaled_scatter)
    result: Tensor = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    return result


def cross_entropy(logits_BK: Tensor, labels_B: Tensor, global_batch: int) -> Tensor:
    """This worker's share of the mean cross-entropy (nats) over the global batch."""
    return torch.nn.functional.cross_entropy(logits_BK, labels_B, reduction="sum") / global_batch


def soft_divergence(logits_BK: Tensor, labels_B: Tensor, smoothing: float) -> Tensor:
    """Mean KL divergence (nats) of predictions from softened labels: smoothing / K everywhere, the rest on
    the label. With smoothing 0 it equals cross-entropy."""
    classes = logits_BK.shape[1]
    hard_BK = torch.nn.functional.one_hot(labels_B, classes).to(logits_BK.dtype)
    target_BK = hard_BK * (1 - smoothing) + smoothing / classes
    log_probability_BK = torch.log_softmax(logits_BK, dim=1)
    return torch.nn.functional.kl_div(log_probability_BK, target_BK, reduction="batchmean")
