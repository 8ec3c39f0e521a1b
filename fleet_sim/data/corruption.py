"""Labels spoilt on purpose, to see what a way of training makes of them."""

from typing import Literal

import numpy as np

from fleet_sim.data.dataset import Labels
from fleet_sim.data.split import generator

Kind = Literal["symmetric", "pair"]


def corrupt(labels_N: Labels, ratio: float, classes: int, seed: int, kind: Kind = "symmetric") -> Labels:
    """A copy in which a share `ratio` of the labels, chosen at random, is spoilt.

    symmetric: redrawn over all `classes`; some come out right, so the share of wrong ones is
    ratio * (1 - 1 / classes). pair: class-conditional, each becomes the next class and the last the first
    ("pair flipping", Han et al. 2018); all of them are wrong, and from a ratio of 1/2 on the wrong class has
    the majority.
    """
    draws = generator(seed, "label corruption")
    chosen = draws.permutation(len(labels_N))[: round(ratio * len(labels_N))]
    corrupted_N = labels_N.copy()
    if kind == "symmetric":
        corrupted_N[chosen] = draws.integers(0, classes, len(chosen), dtype=np.int64)
    else:
        corrupted_N[chosen] = (labels_N[chosen] + 1) % classes
    return corrupted_N
