"""The bottleneck's new basis is discriminant analysis, and changes nothing that the network computes."""

import numpy as np
import pytest
import scipy.linalg
import torch

from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.ranking import discriminative_power
from fleet_sim.codec.spec import CodecSpec
from trainers.basis import change_basis, discriminant_basis


@pytest.fixture
def samples():
    """Correlated latents of four classes, 6 neurons of which one is dead: (latent_MN, labels_M)."""
    draws = np.random.default_rng(5)
    labels_M = np.arange(400) % 4
    latent_MN = (
        draws.normal(0, 1, (400, 6)) @ draws.normal(0, 1, (6, 6)) + draws.normal(0, 2, (4, 6))[labels_M]
    )
    latent_MN[:, 2] = 0.7
    return latent_MN.astype(np.float32), labels_M


def test_the_first_neuron_is_the_most_discriminative_direction_there_is(samples):
    latent_MN, labels_M = samples
    alive_MN = np.delete(latent_MN, 2, axis=1).astype(np.float64)
    means_KN = np.stack([alive_MN[labels_M == k].mean(axis=0) for k in range(4)])
    within = sum(
        (alive_MN[labels_M == k] - means_KN[k]).T @ (alive_MN[labels_M == k] - means_KN[k]) for k in range(4)
    )
    between = 100 * (means_KN - alive_MN.mean(axis=0)).T @ (means_KN - alive_MN.mean(axis=0))
    best = scipy.linalg.eigh(between, within, eigvals_only=True)[::-1]
    turned_MN = latent_MN @ discriminant_basis(latent_MN, labels_M).T
    power_N = discriminative_power(turned_MN, labels_M)
    assert power_N[:3] == pytest.approx(best[:3], rel=0.02)
    assert power_N[3:].max() < 0.01 * power_N[2]


def test_turned_neurons_are_uncorrelated_within_classes_with_variance_1(samples):
    latent_MN, labels_M = samples
    turned_MN = latent_MN @ discriminant_basis(latent_MN, labels_M).T
    centred_MN = turned_MN - np.stack([turned_MN[labels_M == k].mean(axis=0) for k in range(4)])[labels_M]
    covariance_NN = centred_MN.T @ centred_MN / len(centred_MN)
    assert covariance_NN[:4, :4] == pytest.approx(np.eye(4), abs=0.05)


def test_the_network_computes_what_it_did(samples):
    spec = CodecSpec(depth="tiny", width=4, neurons=8)
    torch.manual_seed(1)
    encoder, decoder = build_encoder(spec).eval(), build_decoder(spec, 3).eval()
    bands_BCHW = torch.randn(5, 12, 16, 16)
    with torch.no_grad():
        latent_BN, logits_BK = encoder(bands_BCHW), decoder(encoder(bands_BCHW))
        basis_NN = np.random.default_rng(2).normal(0, 1, (8, 8))
        change_basis(encoder, decoder, basis_NN)
        expected_BN = latent_BN.double() @ torch.from_numpy(basis_NN.T)
        assert torch.allclose(encoder(bands_BCHW).double(), expected_BN, atol=1e-4)
        assert torch.allclose(decoder(encoder(bands_BCHW)), logits_BK, atol=1e-4)
