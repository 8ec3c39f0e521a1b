"""A better basis for the bottleneck: neurons turned into discriminant directions, the best first.

The bottleneck ends in a linear layer and the decoder begins with one, so the latent can be given another
basis y' = A y, the decoder's weights taking the inverse: without rounding the network computes what it did.
In the basis of discriminant analysis (Fisher 1936) at most K - 1 neurons tell K classes apart, as far as
class means go, where before the same was spread over all of them.

Shapes: M samples, N neurons.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fleet_sim.codec.networks import Decoder, Encoder

_RIDGE = 1e-3
"""Share of the mean variance added to every direction: some neurons may be dead."""


def discriminant_basis(latent_MN: NDArray[np.floating], labels_M: NDArray[np.integer]) -> NDArray[np.float64]:
    """A_NN whose rows are the discriminant directions, scaled to variance 1 within classes.

    They solve S_b a = d S_w a, in the order of falling d = tr(S_b) / tr(S_w): no direction uncorrelated
    within classes with those before is more discriminative than the next.
    """
    x_MN = latent_MN.astype(np.float64)
    mean_N = x_MN.mean(axis=0)
    between_NN = np.zeros((x_MN.shape[1], x_MN.shape[1]))
    for label in np.unique(labels_M):
        members_mN = x_MN[labels_M == label]
        apart_N = members_mN.mean(axis=0) - mean_N
        between_NN += len(members_mN) * np.outer(apart_N, apart_N)
    total_NN = (x_MN - mean_N).T @ (x_MN - mean_N)
    within_NN = (total_NN - between_NN) / len(x_MN)
    within_NN += _RIDGE * np.trace(within_NN) / len(within_NN) * np.eye(len(within_NN))
    variance_N, axes_NN = np.linalg.eigh(within_NN)
    whitening_NN = axes_NN / np.sqrt(variance_N) @ axes_NN.T
    _, directions_NN = np.linalg.eigh(whitening_NN @ between_NN @ whitening_NN)
    basis_NN: NDArray[np.float64] = directions_NN[:, ::-1].T @ whitening_NN
    return basis_NN


def change_basis(encoder: Encoder, decoder: Decoder, basis_NN: NDArray[np.float64]) -> None:
    """Let `encoder` put out `basis_NN` times what it did, and `decoder` read that, both in place."""
    bottleneck, entrance = encoder.bottleneck[-1], decoder.latent_decoder.layers[0]
    assert isinstance(bottleneck, nn.Linear)
    assert isinstance(entrance, nn.ConvTranspose2d)
    basis, inverse = torch.from_numpy(basis_NN), torch.from_numpy(np.linalg.inv(basis_NN))
    with torch.no_grad():
        bottleneck.weight.copy_(basis @ bottleneck.weight.double().cpu())
        bottleneck.bias.copy_(basis @ bottleneck.bias.double().cpu())
        entrance.weight.copy_(torch.einsum("nm,nchw->mchw", inverse, entrance.weight.double().cpu()))
