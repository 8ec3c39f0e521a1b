"""The bet is fair whatever the statement's point, and the guard is as often wrong as it says."""

import itertools
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.registry.evidence import Evidence, Labels
from fleet_sim.registry.guard import Guard, GuardRule, Verdict


def labels(total: int, right: int, releases: int = 1) -> Labels:
    return Labels(np.full(releases, total), np.full(releases, right))


def mean_factor(
    evidence_after: list[tuple[int, int, int, int]],
    statement: str,
    margin: float,
    aim: float,
    step: tuple[int, int],
    truth: tuple[float, float],
) -> float:
    """The exact mean of the next step's factor, by summing over all outcomes of its labels."""
    (canary_n, control_n), (canary_p, control_p) = step, truth
    mean = 0.0
    for canary, control in itertools.product(range(canary_n + 1), range(control_n + 1)):
        evidence = Evidence(1, statement, margin, aim)  # type: ignore[arg-type]
        for a_n, a, b_n, b in evidence_after:
            evidence.step(labels(a_n, a), labels(b_n, b))
        before = evidence.log_capital_R[0]
        evidence.step(labels(canary_n, canary), labels(control_n, control))
        chance = _binomial(canary_n, canary, canary_p) * _binomial(control_n, control, control_p)
        mean += chance * float(np.exp(evidence.log_capital_R[0] - before))
    return mean


def _binomial(n: int, k: int, p: float) -> float:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


PAST = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)).map(
        lambda t: (t[0], min(t[:2]), t[2], min(t[2:]))
    ),
    max_size=3,
)
STEP = st.tuples(st.integers(0, 4), st.integers(0, 4))


@given(PAST, STEP, st.floats(0.01, 0.99), st.floats(0, 0.9))
def test_no_worse_is_a_fair_bet_exactly(past, step, control, lift):  # type: ignore[no-untyped-def]
    canary = min(0.995, control + lift)
    assert mean_factor(past, "at least", 0.0, 0.03, step, (canary, control)) <= 1 + 1e-9


@given(PAST, STEP, st.floats(0.05, 0.99), st.floats(0, 0.9))
def test_harmful_is_a_fair_bet_exactly(past, step, control, loss):  # type: ignore[no-untyped-def]
    canary = max(0.005, control - 0.03 - loss)
    assert mean_factor(past, "at most", 0.03, 0.0, step, (canary, control)) <= 1 + 1e-9


def test_a_step_without_labels_of_the_canary_says_nothing() -> None:
    evidence = Evidence(2, "at least", 0.0, 0.03)
    evidence.step(labels(0, 0, 2), labels(50, 40, 2))
    assert evidence.log_capital_R.tolist() == pytest.approx([0, 0], abs=1e-9)


def test_a_guess_on_the_wrong_side_is_refused() -> None:
    with pytest.raises(ValueError, match="is no guess"):
        Evidence(1, "at least", 0.03, 0.0)
    with pytest.raises(ValueError, match="is no guess"):
        Evidence(1, "at most", 0.0, 0.03)


def verdicts(canary_p: float, steps: int, releases: int = 400) -> np.ndarray:
    draws, guard = np.random.default_rng(5), Guard(releases, GuardRule())
    for _ in range(steps):
        canary_R, control_R = draws.poisson(40, releases), draws.poisson(400, releases)
        guard.step(
            Labels(canary_R, draws.binomial(canary_R, canary_p)),
            Labels(control_R, draws.binomial(control_R, 0.9)),
        )
    return guard.verdict_R


def test_an_equal_release_goes_on_and_a_harmful_one_goes_back_as_often_as_stated() -> None:
    equal_R, harmful_R = verdicts(0.9, steps=120), verdicts(0.87, steps=120)
    assert (equal_R == Verdict.GO_BACK).mean() <= 0.05
    assert (equal_R == Verdict.GO_ON).mean() >= 0.95
    assert (harmful_R == Verdict.GO_BACK).mean() >= 0.95


def test_a_collapse_is_seen_within_a_few_steps() -> None:
    assert (verdicts(0.5, steps=4) == Verdict.GO_BACK).all()
