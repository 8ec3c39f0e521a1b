"""Losses on the decoder's answers."""

import torch

from trainers.losses import cross_entropy, soft_divergence


def test_soft_divergence_without_softness_is_cross_entropy():
    logits_BK = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    labels_B = torch.tensor([0, 1, 2, 3, 0, 1])
    assert torch.allclose(soft_divergence(logits_BK, labels_B, 0.0), cross_entropy(logits_BK, labels_B, 6))
    # The most certain right answer is not the best one when targets are soft.
    sure_BK = 50 * torch.nn.functional.one_hot(labels_B, 4).float()
    soft_BK = torch.log(sure_BK / 50 * 0.9 + 0.025)
    assert soft_divergence(soft_BK, labels_B, 0.1) < 1e-6 < soft_divergence(sure_BK, labels_B, 0.1)
