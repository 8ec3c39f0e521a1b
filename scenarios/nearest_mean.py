"""A head of one's own for scenarios/ab_heads.yaml: the class whose mean latent is nearest.

What a head's class must have is said in fleet_sim/codec/own_head.py.
"""

import numpy as np


class NearestMean:
    """Euclidean distance to the mean of each class, every neuron scaled to unit variance."""

    @staticmethod
    def fit(latent_MN, labels_M, classes, seed):
        """Means and scales of the training latents; `seed` is not needed."""
        mean_KN = np.stack([latent_MN[labels_M == k].mean(axis=0) for k in range(classes)])
        return {"mean_KN": mean_KN, "scale_N": 1 / (latent_MN.std(axis=0) + 1e-6)}

    def __init__(self, weights):
        self.mean_KN, self.scale_N = weights["mean_KN"], weights["scale_N"]

    def logits(self, latent_BN):
        """Minus the squared distances, (B, K)."""
        return -(((latent_BN[:, None] - self.mean_KN) * self.scale_N) ** 2).sum(axis=2)
