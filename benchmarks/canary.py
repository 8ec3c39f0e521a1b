"""The guard over releases: how often it is wrong, how far a bad release gets, what it costs in time.

    python -m benchmarks.canary

A fleet of 10,000 cameras, a frame a second, right with probability 0.9; 1 % of the answers get a label, 60 s
after the answer. A release goes to 5 % of the cameras (the canary), then, once the guard lets it, to 10, 20,
40, 80 and 100 %, each wave in ten minutes, so that it takes an hour unguarded. After as long again without a
verdict it goes on. `n` releases of each kind are simulated. Kinds by the accuracy of what is released: the
same, 3 points worse (the guard's `harm`), 1.5 points worse, a point better, and the same where cameras differ
from each other (a standard deviation of 5 points).

Without labels, beside it: every answer counts at once. `agreement`: a head is compared with the one before it
on the same frames, its agreement (0.95, as measured before the release) with what it is in the canary; a
release whose heads went bad afterwards agrees in 3 points fewer, and one that was just as bad when it was
measured agrees as stated and is not seen. `bits`: of an encoder's messages and of those of the one before,
beside as many of validation images, half take no more bits than the tables expect, half no fewer, and 1 in 50
has a value outside the tables. As stated; as stated but for weather, in which of both 20 points fewer take no
more bits than expected; 10 points fewer of the released encoder's, `harm` being 10 points, also in weather.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fleet_sim.basics.machine import machine
from fleet_sim.registry.evidence import Labels
from fleet_sim.registry.guard import Guard, GuardRule, Verdict
from fleet_sim.registry.message_guard import MessageGuard

CAMERAS, ACCURACY, LABELLED, DELAY_S = 10_000, 0.9, 0.01, 60
SHARES, WAVE_S, STEP_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0), 600, 10
RELEASES, STOP_BEFORE = 1000, 0.2
AGREEMENT = 0.95
BITS_RULE, WEATHER = GuardRule(harm=0.1), 0.2
SAYS_Q = np.array([0.5, 0.5, 0.98])  # no more bits than expected, no fewer, no value outside the tables
FEWER_Q = np.array([1.0, -1.0, 0.0])  # what fewer of the first are more of the second

Guarded = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(answers of canary and of control with a label, both (R,)) -> verdicts."""


@dataclass(frozen=True)
class Ended:
    """How R releases ended: verdict, when, and the share of the fleet that had the version then."""

    back_R: np.ndarray
    seconds_R: np.ndarray
    share_R: np.ndarray


def by_labels(draws: np.random.Generator, old: float, new: float, spread: float = 0.0) -> Guarded:
    """`old` and `new` are probabilities of a yes; `spread` is how cameras differ in them."""
    guard = Guard(RELEASES, GuardRule())
    old_R, new_R = (draws.normal(p, spread / np.sqrt(CAMERAS * SHARES[0]), RELEASES) for p in (old, new))

    def step(canary_R: np.ndarray, control_R: np.ndarray) -> np.ndarray:
        return guard.step(
            Labels(canary_R, draws.binomial(canary_R, new_R)),
            Labels(control_R, draws.binomial(control_R, old_R)),
        )

    return step


def by_messages(draws: np.random.Generator, weather: float, fewer: float) -> Guarded:
    """`weather` moves messages of both encoders by so much, `fewer` those of the released one besides."""
    guard = MessageGuard(RELEASES, len(SAYS_Q), BITS_RULE)
    field_Q, before_Q = (SAYS_Q - points * FEWER_Q for points in (weather + fewer, weather))
    share_GQ = np.stack([field_Q, SAYS_Q, before_Q, SAYS_Q])

    def step(canary_R: np.ndarray, control_R: np.ndarray) -> np.ndarray:
        each_R = np.minimum(canary_R, control_R)
        total_GRQ = np.broadcast_to(each_R[None, :, None], (len(share_GQ), RELEASES, len(SAYS_Q)))
        return guard.step(total_GRQ, draws.binomial(total_GRQ, share_GQ[:, None]))

    return step


def roll_out(draws: np.random.Generator, guarded: Guarded, labelled: float, delay_s: int) -> Ended:
    """`RELEASES` rollouts under a guard."""
    verdict_R = np.full(RELEASES, int(Verdict.HOLD))
    share_R, wave_s_R = np.zeros(RELEASES), np.zeros(RELEASES)  # seconds of rolling out done
    held_s_R = np.zeros(RELEASES)
    history = [np.zeros(RELEASES)] * (delay_s // STEP_S)
    ended = Ended(np.zeros(RELEASES, np.bool_), np.zeros(RELEASES), np.zeros(RELEASES))
    open_R, now_s = np.ones(RELEASES, np.bool_), 0
    while open_R.any():
        now_s += STEP_S
        canary = verdict_R == Verdict.HOLD
        at_gate_R = canary & (wave_s_R >= WAVE_S)
        held_s_R += at_gate_R * STEP_S
        waits_R = at_gate_R & (held_s_R < WAVE_S * len(SHARES))
        wave_s_R += np.where(waits_R, 0, STEP_S)
        share_R = np.interp(wave_s_R, WAVE_S * np.arange(len(SHARES) + 1), (0, *SHARES))
        history.append(share_R)
        had_R = history.pop(0)
        total = CAMERAS * STEP_S * labelled
        canary_R, control_R = draws.poisson(total * had_R), draws.poisson(total * (1 - had_R))
        verdict_R = guarded(canary_R, control_R)
        back_R = verdict_R == Verdict.GO_BACK
        done_R = open_R & (back_R | (share_R >= 1))
        ended.back_R[done_R], ended.seconds_R[done_R] = back_R[done_R], now_s
        ended.share_R[done_R] = share_R[done_R]
        open_R &= ~done_R
    return ended


def figures(ended: Ended) -> dict[str, float | None]:
    """What a table says of one kind of release."""
    stopped_R, out_R = ended.back_R & (ended.share_R < STOP_BEFORE), ~ended.back_R
    unguarded_s = WAVE_S * len(SHARES)
    return {
        "taken_back": float(ended.back_R.mean()),
        "taken_back_before_a_fifth": float(stopped_R.mean()),
        "share_when_taken_back_p95": _quantile(ended.share_R[ended.back_R], 0.95),
        "minutes_to_take_back_p50": _quantile(ended.seconds_R[ended.back_R] / 60, 0.5),
        "times_unguarded_p50": _quantile(ended.seconds_R[out_R] / unguarded_s, 0.5),
        "times_unguarded_max": _quantile(ended.seconds_R[out_R] / unguarded_s, 1.0),
    }


def _quantile(values: np.ndarray, share: float) -> float | None:
    return round(float(np.quantile(values, share)), 3) if len(values) else None


def main() -> None:
    """Print one JSON line."""
    rule, with_labels = GuardRule(), {}
    kinds = {"equal": 0.0, "harmful": -rule.harm, "half_as_harmful": -rule.harm / 2, "better": 0.01}
    for number, (kind, change) in enumerate(kinds.items()):
        draws = np.random.default_rng(number)
        guarded = by_labels(draws, ACCURACY, ACCURACY + change)
        with_labels[kind] = figures(roll_out(draws, guarded, LABELLED, DELAY_S))
    draws = np.random.default_rng(10)
    unlike = by_labels(draws, ACCURACY, ACCURACY, spread=0.05)
    with_labels["equal_on_unlike_cameras"] = figures(roll_out(draws, unlike, LABELLED, DELAY_S))
    without = {}
    for number, (kind, seen) in enumerate(
        [("agreement_as_stated", AGREEMENT), ("agreement_3_points_lower", AGREEMENT - rule.harm)]
    ):
        draws = np.random.default_rng(20 + number)
        guarded = by_labels(draws, AGREEMENT, seen)
        without[kind] = figures(roll_out(draws, guarded, labelled=1.0, delay_s=0))
    for number, (kind, weather, fewer) in enumerate(
        [
            ("bits_as_stated", 0.0, 0.0),
            ("bits_as_stated_in_weather", WEATHER, 0.0),
            ("bits_10_points_fewer", 0.0, BITS_RULE.harm),
            ("bits_10_points_fewer_in_weather", WEATHER, BITS_RULE.harm),
        ]
    ):
        draws = np.random.default_rng(30 + number)
        guarded = by_messages(draws, weather, fewer)
        without[kind] = figures(roll_out(draws, guarded, labelled=1.0, delay_s=0))
    print(
        json.dumps(
            {
                "n": RELEASES,
                "rule": {"harm": rule.harm, "alpha": rule.alpha, "beta": rule.beta},
                "with_labels": with_labels,
                "without_labels": without,
                "machine": machine("cpu"),
            }
        )
    )


if __name__ == "__main__":
    main()
