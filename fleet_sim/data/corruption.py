"""Labels spoilt on purpose, to see what a way of training makes of them."""

import numpy as np

from fleet_sim.data.dataset import Labels
from fleet_sim.data.split import generator


def corrupt(labels_N: Labels, ratio: float, classes: int, seed: int) -> Labels:
    """A copy in which a share `ratio` of the labels, chosen at random, is redrawn over all `classes`.

    A redrawn label may come out right, so the share of wrong ones is ratio * (1 - 1 / classes).
    """
    draws = generator(seed, "label corruption")
    chosen = draws.permutation(len(labels_N))[: round(ratio * len(labels_N))]
    corrupted_N = labels_N.copy()
    corrupted_N[chosen] = draws.integers(0, classes, len(chosen), dtype=np.int64)
    return corrupted_N
