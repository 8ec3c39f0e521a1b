"""Frequency tables fitted to training latents."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleet_sim.codec.histogram import apportion, fit_frequencies


@given(arrays(np.int64, (3, 12), elements=st.integers(0, 10**6)))
def test_every_row_sums_to_4096_with_no_zero(counts_NS):
    counts_NS[:, 0] += 1
    frequencies_NS = apportion(counts_NS)
    assert (frequencies_NS.sum(axis=1) == 4096).all()
    assert (frequencies_NS >= 1).all()


def test_frequencies_follow_the_counts():
    np.testing.assert_array_equal(apportion(np.array([[1, 1, 2, 0]])), [[1024, 1024, 2047, 1]])


@settings(max_examples=30, deadline=None)
@given(arrays(np.int32, (20, 4), elements=st.integers(-(2**31), 2**31 - 1)))
def test_any_training_set_gives_tables(latent_MN):
    frequencies_NS, offset_N = fit_frequencies(latent_MN)
    assert (frequencies_NS.sum(axis=1) == 4096).all()
    assert frequencies_NS.shape[1] <= 256
    assert offset_N.shape == (4,)


def test_support_covers_what_is_common_and_leaves_rare_outliers_to_the_escape():
    rng = np.random.default_rng(1)
    latent_MN = rng.integers(-3, 4, (5000, 6)).astype(np.int32)
    latent_MN[0] = 200
    frequencies_NS, offset_N = fit_frequencies(latent_MN)
    assert frequencies_NS.shape[1] == 8
    np.testing.assert_array_equal(offset_N, -3)


def test_support_of_a_narrow_neuron_is_centred_on_it():
    rng = np.random.default_rng(1)
    latent_MN = np.stack([rng.integers(-6, 7, 5000), rng.integers(-1, 2, 5000)], axis=1).astype(np.int32)
    np.testing.assert_array_equal(fit_frequencies(latent_MN)[1], [-6, -6])


def test_a_far_away_neuron_gets_a_support_where_it_lives():
    latent_MN = np.tile(np.array([[0, 100_000], [1, 100_001]], dtype=np.int32), (50, 1))
    np.testing.assert_array_equal(fit_frequencies(latent_MN)[1], [0, 100_000])
