"""Stationary shares against linear algebra and against theory for two states."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.network.link import CERTAIN
from fleet_sim.network.markov import cumulative_thresholds, exact_rows, rows_of_dwelling, stationary


@st.composite
def rows(draw: st.DrawFn) -> list[list[Fraction]]:
    states = draw(st.integers(2, 5))
    parts = st.lists(st.integers(1, 50), min_size=states, max_size=states)
    return [[Fraction(n, sum(row)) for n in row] for row in (draw(parts) for _ in range(states))]


@given(rows())
def test_stationary_shares_stay_as_they_are_after_a_step(chain: list[list[Fraction]]) -> None:
    shares = stationary(chain)
    assert sum(shares) == 1
    after = [sum(s * row[n] for s, row in zip(shares, chain, strict=True)) for n in range(len(chain))]
    assert after == shares
    values, vectors = np.linalg.eig(np.array(chain, float).T)
    first = np.real(vectors[:, np.argmax(np.real(values))])
    np.testing.assert_allclose(np.array(shares, float), first / first.sum(), atol=1e-9)


def test_two_states_share_the_time_as_their_mean_times() -> None:
    assert stationary(rows_of_dwelling([20_000, 10_000], 1000)) == [Fraction(2, 3), Fraction(1, 3)]


def test_a_state_that_never_leads_back_is_refused() -> None:
    with pytest.raises(ValueError, match="state 1 never leads back"):
        stationary(exact_rows([[0.5, 0.5], [0, 1]]))


@given(rows())
def test_thresholds_are_the_probabilities_to_32_bits(chain: list[list[Fraction]]) -> None:
    for row in chain:
        thresholds = cumulative_thresholds(row)
        assert thresholds[-1] == CERTAIN
        for share, p in zip(np.diff([0, *thresholds]), row, strict=True):
            assert abs(Fraction(int(share), CERTAIN) - p) <= Fraction(1, CERTAIN)
