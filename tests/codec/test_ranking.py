"""The order in which neurons are kept."""

import numpy as np
import pytest

from fleet_sim.codec.ranking import discriminative_power, rank


def test_power_is_the_ratio_of_scatters():
    latent_MN = np.array([[0.0], [2.0], [10.0], [12.0]])
    labels_M = np.array([0, 0, 1, 1])
    # class means 1 and 11, mean 6: between 4 * 25, within 4 * 1
    assert discriminative_power(latent_MN, labels_M) == pytest.approx([25.0])


def test_constant_neuron_is_worthless_and_a_perfect_one_priceless():
    latent_MN = np.array([[5, 0], [5, 0], [5, 1], [5, 1]], dtype=np.int32)
    np.testing.assert_array_equal(discriminative_power(latent_MN, np.array([0, 0, 1, 1])), [0.0, np.inf])


def test_power_does_not_depend_on_scale_or_names_of_classes():
    rng = np.random.default_rng(0)
    latent_MN, labels_M = rng.normal(size=(200, 5)), rng.integers(0, 4, 200)
    power_N = discriminative_power(latent_MN, labels_M)
    np.testing.assert_allclose(discriminative_power(latent_MN * 7 + 3, labels_M * 10 - 5), power_N)


def test_rank_is_best_first_and_ties_keep_their_order():
    ranking_N = rank(np.array([1.0, 3.0, 0.0, 3.0, np.inf]))
    np.testing.assert_array_equal(ranking_N, [4, 1, 3, 0, 2])
    assert ranking_N.dtype == np.int64
