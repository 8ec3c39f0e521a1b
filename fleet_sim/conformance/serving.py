"""Servers with known answers: M/D/1, batches of up to B at once, and rooms that may be full.

Batches: a server that takes up to B of those waiting as soon as it is free, and one alone if none waits
(the general bulk service rule of M. F. Neuts, "A general class of bulk queues with Poisson input", Ann.
Math. Statist. 38, 1967, with its least batch 1). Its mean wait comes from the queue that each batch leaves
behind, a Markov chain, solved here as a linear system. The same chain, cut off, gives M/D/1/K (D. Gross and
C. M. Harris, "Fundamentals of Queueing Theory", 1998, 5.1.8).
"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import poisson

from fleet_sim.conformance.check import Check, by_chance
from fleet_sim.conformance.lab import fleet_on
from fleet_sim.engine.pools import advance, nothing_held
from fleet_sim.engine.sent import Sent
from fleet_sim.serving.batching import run_batches
from fleet_sim.serving.replicas import FIXED, KEEP, SHED, WORK, Rules

LOAD = 0.7
BATCH, BATCH_US, FRAME_US = 8, 60_000, 10_000
REPLICAS, ROOM = 4, 3
TURNS, FRAMES = 300, 4000
_STATES = 400  # of the chain: more frames than a queue ever holds at these loads
_AT_START = np.zeros(1, np.int64)
_NOTHING = np.zeros(0, np.int64)
NEVER_US = 2**60


def checks(seed: int) -> Iterator[Check]:
    """Poisson arrivals at a server, again and again from empty; the first tenth of each turn is left out."""
    draws = np.random.default_rng(seed)
    one_us_N = np.array([0, BATCH_US])
    waits = [_waits_us(_arrivals(draws, LOAD / BATCH_US), one_us_N) for _ in range(TURNS)]
    yield _mean("server M/D/1", "mean wait, ms", waits, BATCH_US * LOAD / (2 * (1 - LOAD)))

    batch_us_N = BATCH_US + FRAME_US * np.arange(BATCH + 1)
    rate = LOAD * BATCH / batch_us_N[BATCH]
    waits = [_waits_us(_arrivals(draws, rate), batch_us_N) for _ in range(TURNS)]
    yield _mean(f"server of batches to {BATCH}", "mean wait, ms", waits, bulk_wait_us(rate, batch_us_N))

    # Every frame is of a camera of its own, so hashing thins the arrivals to a Poisson stream a replica; each
    # turn hashes anew.
    rate = REPLICAS * LOAD / BATCH_US
    pool = _rules(one_us_N, seed, replicas=REPLICAS, hashed=True)
    waits = [
        _through_pool(_arrivals(draws, rate), pool._replace(seed=seed + turn))[0] for turn in range(TURNS)
    ]
    expected_us = BATCH_US * LOAD / (2 * (1 - LOAD))
    yield _mean(f"{REPLICAS} hashed replicas M/D/1", "mean wait, ms", waits, expected_us)

    full = _rules(one_us_N, seed, queue_limit=ROOM)
    shed = [_through_pool(_arrivals(draws, 1.1 / BATCH_US), full)[1] for _ in range(TURNS)]
    blocked = np.array([share.mean() for share in shed])
    yield by_chance(
        f"server M/D/1/{ROOM + 1}", "share shed", blocked, blocking(1.1, ROOM + 1), TURNS * FRAMES
    )


def bulk_wait_us(rate: float, service_us_N: np.ndarray) -> float:
    """Mean wait where a batch of n frames takes service_us_N[n], arrivals come at `rate` a microsecond.

    With probability p_q a batch leaves q behind; the next takes n = min(max(q, 1), B), and r = max(q - B, 0)
    stay. Per cycle the queue's integral is r s + rate s^2 / 2 over s = service_us_N[n] and, where q is 0,
    nothing over an idle time of 1 / rate; Little's law makes the mean wait of the mean queue.
    """
    batch = len(service_us_N) - 1
    left_Q = np.arange(_STATES)
    service_us_Q = service_us_N[np.clip(left_Q, 1, batch)].astype(float)
    stays_Q = np.maximum(left_Q - batch, 0)
    step_QQ = _steps(stays_Q, rate * service_us_Q)
    p_Q = _stationary(step_QQ)
    queue = p_Q @ (stays_Q * service_us_Q + rate * service_us_Q**2 / 2)
    cycle_us = p_Q @ service_us_Q + p_Q[0] / rate
    return float(queue / cycle_us / rate)


def blocking(load: float, room: int) -> float:
    """Share of arrivals that find M/D/1 full, with `room` places, that of service included."""
    left_Q = np.arange(room)
    step_QQ = _steps(np.maximum(left_Q - 1, 0), np.full(room, load))
    idle = _stationary(step_QQ)[0]
    return float(1 - 1 / (idle + load))


def _steps(stays_Q: np.ndarray, mean_Q: np.ndarray) -> np.ndarray:
    """Chances from state to state: what stays, and a Poisson number that come; the last takes the rest."""
    states = np.arange(len(stays_Q))
    step_QQ: np.ndarray = poisson.pmf(states[None, :] - stays_Q[:, None], mean_Q[:, None])
    step_QQ[:, -1] += 1 - step_QQ.sum(axis=1)
    return step_QQ


def _stationary(step_QQ: np.ndarray) -> np.ndarray:
    states = len(step_QQ)
    equations = np.vstack([step_QQ.T - np.eye(states), np.ones(states)])
    p_Q: np.ndarray = np.linalg.lstsq(equations, np.append(np.zeros(states), 1), rcond=None)[0]
    return p_Q


def _arrivals(draws: np.random.Generator, rate: float) -> np.ndarray:
    arrive_us: np.ndarray = np.rint(np.cumsum(draws.exponential(1 / rate, FRAMES))).astype(np.int64)
    return arrive_us


def _waits_us(arrive_us_M: np.ndarray, service_us_N: np.ndarray) -> np.ndarray:
    """Waits at a plain server, the first tenth left out."""
    start_us_M, done_us_M = np.empty_like(arrive_us_M), np.empty_like(arrive_us_M)
    work_Q = np.zeros(len(WORK), np.int64)
    run_batches(
        arrive_us_M, 0, NEVER_US, 0, service_us_N[None], _AT_START, _AT_START, NEVER_US,
        start_us_M, done_us_M, work_Q,
    )  # fmt: skip
    waits: np.ndarray = (start_us_M - arrive_us_M)[FRAMES // 10 :]
    return waits


def _rules(service_us_N: np.ndarray, seed: int, **changed: int) -> Rules:
    replicas = changed.get("replicas", 1)
    plain = Rules(
        seed=seed, end_us=NEVER_US, max_wait_us=0, service_us_HN=service_us_N[None],
        head_from_us_W=_AT_START, head_W=_AT_START, class_G=_AT_START, replicas=1, hashed=False, shed=KEEP,
        queue_limit=FRAMES, scaling=FIXED, least=replicas, most=replicas, target=1, startup_us=0,
        period_us=1, resident=0, load_us=0, standby=False, failure_us_X=_NOTHING, failure_replica_X=_NOTHING,
        failure_change_X=_NOTHING,
    )  # fmt: skip
    return plain._replace(**changed)  # type: ignore[arg-type]


def _through_pool(arrive_us_M: np.ndarray, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """(waits of frames that were answered, was each shed?) in batches of one, the first tenth left out."""
    nothing, frames = np.zeros(FRAMES, np.int8), np.arange(FRAMES, dtype=np.int32)
    sent = Sent(arrive_us_M, arrive_us_M, frames, frames, nothing, nothing)
    fleet = fleet_on({}, seed=rules.seed, cameras=FRAMES, cells=1, duration_us=NEVER_US, frame_period_us=1)
    _, _, after = advance(nothing_held(rules), [sent], NEVER_US, fleet, rules)
    late = slice(FRAMES // 10, None)
    shed_M = after.head[late] == SHED
    waits_us = (after.ended_us - after.arrive_us)[late][~shed_M] - rules.service_us_HN[0, 1]
    return waits_us, shed_M


def _mean(model: str, quantity: str, waits_us: list[np.ndarray], expected_us: float) -> Check:
    means_ms = np.array([turn.mean() for turn in waits_us]) / 1000
    return by_chance(model, quantity, means_ms, expected_us / 1000, sum(map(len, waits_us)))
