"""What it costs to send a latent, as training sees it: a running histogram of every neuron's values.

The tables of a released version are histograms of rounded values; this is the same, kept up to date while the
encoder learns. The cost of a value between two whole numbers is interpolated, so that a gradient leads to the
likelier neighbour. No gradient passes through the counts: the best table for given values has, to first
order, the same mean cost after a small change of itself.

Shapes: B batch, N neurons, V values of the histogram.
"""

import torch
from torch import Tensor

from fleet_sim.codec.coder import TOTAL
from trainers.workers import Workers

REACH = 32
"""Largest magnitude that has a count of its own; beyond, a value costs one bit more for each unit."""
_KEPT = 0.99
"""Share of the counts that a new batch leaves."""


class RunningHistogram:
    """Shares of the rounded values of `neurons` neurons, on `device`; changed in place."""

    def __init__(self, neurons: int, device: torch.device) -> None:
        self.share_NV = torch.zeros(neurons, 2 * REACH + 1, device=device)

    def set(self, latent_MN: Tensor) -> None:
        """Start from these values alone."""
        self.share_NV.copy_(_shares(latent_MN) / len(latent_MN))

    def update(self, latent_BN: Tensor, global_batch: int, workers: Workers) -> None:
        """Let the old fade a little and add this worker's share of a batch of `global_batch` rows."""
        fresh_NV = workers.all_reduce_sum(_shares(latent_BN)) / global_batch
        self.share_NV.mul_(_KEPT).add_(fresh_NV, alpha=1 - _KEPT)

    @property
    def mean_N(self) -> Tensor:
        """Mean value of each neuron, values beyond the reach counted at its end."""
        return self.share_NV @ torch.arange(-REACH, REACH + 1.0, device=self.share_NV.device)

    def bits(self, latent_BN: Tensor) -> Tensor:
        """Bits of each value (B, N), differentiable in it; what no sample had costs what a table's least
        entry does."""
        cost_NV = -torch.log2((self.share_NV + 1 / TOTAL) / (1 + self.share_NV.shape[1] / TOTAL))
        within_BN = latent_BN.clamp(-REACH, REACH)
        below_BN = within_BN.detach().floor().clamp(max=REACH - 1)
        place_NB = (below_BN.long() + REACH).T
        cost_below_BN = cost_NV.gather(1, place_NB).T
        slope_BN = cost_NV.gather(1, place_NB + 1).T - cost_below_BN
        return cost_below_BN + slope_BN * (within_BN - below_BN) + (latent_BN - within_BN).abs()


def _shares(latent_BN: Tensor) -> Tensor:
    """How often each rounded value comes, as float counts (N, V)."""
    neurons, values = latent_BN.shape[1], 2 * REACH + 1
    place_BN = latent_BN.detach().round().clamp(-REACH, REACH).long() + REACH
    # In one dimension: on a GPU torch adds in a fixed order there, and only there.
    flat = (place_BN + values * torch.arange(neurons, device=latent_BN.device)).flatten()
    counts = torch.zeros(neurons * values, device=latent_BN.device)
    return counts.scatter_add_(0, flat, torch.ones_like(flat, dtype=counts.dtype)).view(neurons, values)
