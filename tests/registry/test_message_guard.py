"""The bet on four groups is fair whatever the statement's point, and departures are told from weather."""

import copy
import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.registry.contrast import SIGNS, Contrast
from fleet_sim.registry.evidence import Labels
from fleet_sim.registry.guard import GuardRule, Verdict
from fleet_sim.registry.message_guard import MessageGuard

NUMBERS = st.tuples(*[st.integers(1, 2)] * 4)
PAST = st.lists(st.tuples(NUMBERS, st.tuples(*[st.floats(0, 1)] * 4)), max_size=3)
SHARES = st.tuples(*[st.floats(0.01, 0.99)] * 4)


def labels(total: int, yes: int) -> Labels:
    return Labels(np.array([total]), np.array([yes]))


def mean_factor(contrast: Contrast, numbers: tuple[int, ...], truth_G: tuple[float, ...]) -> float:
    """The exact mean of the next step's factor, by summing over all outcomes of its observations."""
    mean = 0.0
    for outcome in itertools.product(*(range(n + 1) for n in numbers)):
        after = copy.deepcopy(contrast)
        after.step([labels(n, yes) for n, yes in zip(numbers, outcome, strict=True)])
        chance = 1.0
        for n, yes, p in zip(numbers, outcome, truth_G, strict=True):
            chance *= comb(n, yes) * p**yes * (1 - p) ** (n - yes)
        mean += chance * float(np.exp(after.log_capital_R - contrast.log_capital_R)[0])
    return mean


@given(PAST, NUMBERS, SHARES, st.booleans())
def test_a_contrast_is_a_fair_bet_exactly(past, numbers, truth_G, at_least):  # type: ignore[no-untyped-def]
    contrast = Contrast(1, "at least", 0.0, 0.1) if at_least else Contrast(1, "at most", 0.1, 0.0)
    for totals, shares in past:
        contrast.step([labels(n, round(n * share)) for n, share in zip(totals, shares, strict=True)])
    true = np.dot(SIGNS, truth_G)
    if true >= 0 if at_least else true <= -0.1:
        assert mean_factor(contrast, numbers, truth_G) <= 1 + 1e-9


def test_a_bet_on_the_truth_gains_what_entropy_says() -> None:
    """By a Taylor series (0.1 / 4)^2 / (2 p (1 - p)) for each of four groups, p about 0.5."""
    contrast = Contrast(1, "at least", 0.0, 0.1)
    contrast.step([labels(100_000, 40_000), *[labels(100_000, 50_000)] * 3])
    before = contrast.log_capital_R[0]
    contrast.step([labels(100_000, 40_000), *[labels(100_000, 50_000)] * 3])
    assert (contrast.log_capital_R[0] - before) / 100_000 == pytest.approx(0.1**2 / 2, rel=0.02)


def test_a_step_without_one_group_is_no_evidence() -> None:
    contrast = Contrast(1, "at least", 0.0, 0.1)
    contrast.step([labels(50, 0), labels(0, 0), labels(50, 50), labels(50, 50)])
    assert contrast.log_capital_R.tolist() == [0.0]


def test_a_guess_on_the_wrong_side_is_refused() -> None:
    with pytest.raises(ValueError, match="is no guess"):
        Contrast(1, "at least", 0.03, 0.0)
    with pytest.raises(ValueError, match="is no guess"):
        Contrast(1, "at most", 0.0, 0.03)


AS_STATED = ((0.6, 0.6, 0.7, 0.7), (0.5, 0.5, 0.4, 0.4), (0.98, 0.98, 0.99, 0.99))


def verdicts(*shares_QG: tuple[float, ...], scenes: int = 4000, guards: int = 200) -> tuple[float, ...]:
    """Shares of guards that say go back, and go on: field and stated of an encoder, and of the one before."""
    draws, guard = np.random.default_rng(6), MessageGuard(guards, 3, GuardRule(harm=0.1))
    share_GRQ = np.repeat(np.array(shares_QG).T[:, None], guards, axis=1)
    total_GRQ = np.full(share_GRQ.shape, 100)
    for _ in range(scenes // 100):
        guard.step(total_GRQ, draws.binomial(total_GRQ, share_GRQ))
    return tuple((guard.verdict_R == verdict).mean() for verdict in (Verdict.GO_BACK, Verdict.GO_ON))


def test_messages_as_stated_go_on_as_often_as_is_stated() -> None:
    back, on = verdicts(*AS_STATED)
    assert back <= 0.05
    assert on >= 0.95


@pytest.mark.parametrize("quantity", range(3))
def test_a_departure_of_any_quantity_by_ten_points_goes_back(quantity: int) -> None:
    field, *others = AS_STATED[quantity]
    shares_QG = [*AS_STATED]
    shares_QG[quantity] = (field - 0.1, *others)
    assert verdicts(*shares_QG)[0] >= 0.95


def test_weather_that_moves_both_or_the_old_encoder_further_is_not_blamed_on_the_new_one() -> None:
    """A guard that held the released encoder against its own images alone would take all of these back."""
    for new, old in ((0.2, 0.2), (0.2, 0.3), (0.05, 0.2)):
        moved = (0.6 - new, 0.6, 0.7 - old, 0.7)
        assert verdicts(moved, *AS_STATED[1:])[0] <= 0.05
    assert verdicts((0.4, 0.6, 0.6, 0.7), *AS_STATED[1:])[0] >= 0.95  # further than the old one


def test_an_old_encoder_that_departs_alone_is_no_reason_either() -> None:
    """Where the old one's share rises, a new one that stays as stated falls behind it, but does not sink."""
    assert verdicts((0.6, 0.6, 0.9, 0.7), *AS_STATED[1:])[0] <= 0.05
