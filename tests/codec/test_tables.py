"""Tables of a version: fitting, storing, and what a server assumes of pruned neurons."""

import dataclasses

import numpy as np
import pytest

from fleet_sim.codec.tables import Tables, fill


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(2)
    labels_M = rng.integers(0, 3, 700)
    latent_MN = np.rint(rng.normal(size=(700, 5)) * 2 + labels_M[:, None] * [0, 1, 4, 2, 0.5]).astype(
        np.int32
    )
    return latent_MN, labels_M


@pytest.fixture(scope="module")
def tables(training):
    return Tables.fit(*training, ladder=(1, 3, 5))


def test_columns_are_in_ranked_order(training, tables):
    np.testing.assert_array_equal(tables.ranking_N[:3], [2, 3, 1])
    np.testing.assert_allclose(tables.fill_N, training[0][:, tables.ranking_N].mean(axis=0), rtol=1e-6)


def test_mean_payload_is_near_the_entropy_and_rises_with_the_level(training, tables):
    ranked_MN = training[0][:, tables.ranking_N]
    symbols_MN = tables.coder.symbols(ranked_MN)
    bits_MN = tables.millibits_NS[np.arange(5), symbols_MN] / 1000
    ideal_bits_L = np.cumsum(bits_MN.mean(axis=0))[tables.ladder_L - 1]
    assert (np.diff(tables.mean_payload_bits_L) > 0).all()
    assert (np.abs(tables.mean_payload_bits_L - ideal_bits_L) < 8).all()


def test_stored_and_read_back_they_are_the_same(tables):
    again = Tables.from_arrays(tables.to_arrays())
    assert again.digest() == tables.digest()


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Tables)])
def test_the_digest_covers_every_array(tables, name):
    changed = tables.to_arrays()[name].copy()
    if name == "frequencies_NS":
        changed[0, 0] += 1
        changed[0, np.argmax(changed[0])] -= 1
    elif name == "ranking_N":
        changed = np.roll(changed, 1)
    elif name == "ladder_L":
        changed = np.array([1, 2, 5])
    else:
        changed[0] += 1
    assert Tables.from_arrays({**tables.to_arrays(), name: changed}).digest() != tables.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"ranking_N": np.array([0, 0, 1, 2, 3])},
        {"ladder_L": np.array([3, 1])},
        {"ladder_L": np.array([1, 3, 6])},
        {"offset_N": np.zeros(4, np.int64)},
        {"offset_N": np.zeros(5, np.int32)},
        {"frequencies_NS": np.full((5, 4), 1000)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(tables, change):
    with pytest.raises(ValueError, match="no tables"):
        Tables.from_arrays({**tables.to_arrays(), **change})


def test_a_missing_array_is_refused(tables):
    arrays = tables.to_arrays()
    del arrays["fill_N"]
    with pytest.raises(ValueError, match="fill_N"):
        Tables.from_arrays(arrays)


def test_fill_puts_kept_values_and_means_where_the_encoder_had_them(training, tables):
    latent_MN = training[0]
    np.testing.assert_array_equal(fill(latent_MN[:, tables.ranking_N], tables), latent_MN)
    filled_MN = fill(latent_MN[:, tables.ranking_N[:2]], tables)
    assert filled_MN.dtype == np.float32
    np.testing.assert_array_equal(filled_MN[:, [2, 3]], latent_MN[:, [2, 3]])
    for j, neuron in enumerate(tables.ranking_N[2:], start=2):
        assert (filled_MN[:, neuron] == tables.fill_N[j]).all()
