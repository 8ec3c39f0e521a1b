"""Latencies fall into the bins that a search among the edges finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.compiled import compiled
from fleet_sim.engine.answers import FIRST_BIN_K, latency_bin
from fleet_sim.engine.counts import LATENCY_EDGES_US


@compiled()
def bins(latency_us_M, edges_us, first_bin_K):
    bin_M = np.empty(latency_us_M.shape[0], np.int64)
    for m in range(bin_M.shape[0]):
        bin_M[m] = latency_bin(latency_us_M[m], edges_us, first_bin_K)
    return bin_M


def assert_found(latency_us_M: np.ndarray) -> None:
    wanted_M = np.searchsorted(LATENCY_EDGES_US, latency_us_M)
    np.testing.assert_array_equal(bins(latency_us_M, LATENCY_EDGES_US, FIRST_BIN_K), wanted_M)


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_any_latency(latency_us: list[int]) -> None:
    assert_found(np.array(latency_us))


def test_latencies_at_every_edge_and_beside_it() -> None:
    assert_found(np.concatenate([LATENCY_EDGES_US + d for d in (-1, 0, 1)]))
    assert_found(np.arange(300_000))
