"""Which neurons are worth their bits: discriminative power, and the order it gives.

Shapes: M samples, N neurons.
"""

import numpy as np
from numpy.typing import NDArray


def discriminative_power(
    latent_MN: NDArray[np.generic], labels_M: NDArray[np.integer]
) -> NDArray[np.float64]:
    """tr(S_b) / tr(S_w) of each neuron as a scalar: scatter between class means over scatter within classes.

    The paper's measure (DuPHiL, ICIP 2022) with one neuron as the feature. A neuron that never varies has
    power 0; one that varies only between classes has infinite power. Returns power_N.
    """
    between_N, within_N = scatters(latent_MN, labels_M)
    varies_N = np.ptp(latent_MN, axis=0) > 0
    power_N = np.full(latent_MN.shape[1], np.inf)
    np.divide(between_N, within_N, out=power_N, where=within_N > 0)
    return np.where(varies_N, power_N, 0.0)


def scatters(
    latent_MN: NDArray[np.generic], labels_M: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(between_N, within_N): the diagonals of S_b and S_w, whose sums are their traces."""
    x_MN = latent_MN.astype(np.float64)
    classes, class_M = np.unique(labels_M, return_inverse=True)
    within_N = np.zeros(x_MN.shape[1])
    between_N = np.zeros(x_MN.shape[1])
    mean_N = x_MN.mean(axis=0)
    for index in range(len(classes)):
        members_mN = x_MN[class_M == index]
        class_mean_N = members_mN.mean(axis=0)
        within_N += ((members_mN - class_mean_N) ** 2).sum(axis=0)
        between_N += len(members_mN) * (class_mean_N - mean_N) ** 2
    return between_N, within_N


def rank(power_N: NDArray[np.float64]) -> NDArray[np.int64]:
    """Neuron indices by falling power; neurons of equal power in order of index. Returns ranking_N."""
    return np.argsort(-power_N, kind="stable").astype(np.int64)
