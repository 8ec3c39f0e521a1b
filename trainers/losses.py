"""Losses on the decoder's answers. Shapes: B samples of this worker, K classes."""

import torch
from torch import Tensor


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
