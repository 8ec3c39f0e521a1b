"""Queues with known answers: M/M/1, M/D/1 and M/M/1/K (L. Kleinrock, "Queueing Systems", vol. 1, 1975)."""

from collections.abc import Iterator

import numpy as np

from fleet_sim.conformance.check import Check, by_chance
from fleet_sim.conformance.lab import Outcome, fleet_on, simulate
from fleet_sim.engine.captures import POISSON
from fleet_sim.network.link import AIRTIME

LOAD = 0.7
MEAN_BYTES = 1000
SERVICE_US = 100_000
SIZES = 1 << 16


def checks(seed: int) -> Iterator[Check]:
    """Cells with Poisson arrivals, first in, first out; of ten cameras where buffers are not full."""
    yield from _unbounded(seed)
    yield from _blocking(seed)


def exponential(mean: float, values: int) -> np.ndarray:
    """(values,) float: equally likely values that stand for an exponential distribution (bin means)."""
    # The mean of -ln u over u from a to b; its sum over all bins is exact.
    edge = np.linspace(0, 1, values + 1)
    integral = edge - edge * np.log(np.where(edge > 0, edge, 1))
    means: np.ndarray = np.diff(integral) * values * mean
    return means


def _unbounded(seed: int) -> Iterator[Check]:
    cells, cameras_a_cell, duration_us = 400, 10, 1_500_000_000
    gap_us = round(SERVICE_US * cameras_a_cell / LOAD)
    fleet = fleet_on(
        {"budget_bps": 8 * MEAN_BYTES * 1_000_000 // SERVICE_US, "sharing": "fifo"},
        seed=seed,
        cameras=cells * cameras_a_cell,
        cells=cells,
        duration_us=duration_us,
        frame_period_us=gap_us,
        capture=POISSON,
    )
    drawn = simulate(fleet, np.rint(exponential(MEAN_BYTES, SIZES)))
    mean_us = SERVICE_US / (1 - LOAD)
    took_us, cell = _settled(drawn, cells, duration_us)
    yield by_chance(
        "M/M/1", "mean time in system, ms", _by_cell(took_us, cell) / 1000, mean_us / 1000, len(cell)
    )
    longer = _by_cell((took_us > mean_us).astype(float), cell)
    yield by_chance("M/M/1", "share that takes longer than that", longer, np.exp(-1), len(cell))

    fixed = simulate(fleet, np.array([MEAN_BYTES]))
    took_us, cell = _settled(fixed, cells, duration_us)
    mean_us = SERVICE_US * (1 + LOAD / (2 * (1 - LOAD)))
    yield by_chance(
        "M/D/1", "mean time in system, ms", _by_cell(took_us, cell) / 1000, mean_us / 1000, len(cell)
    )


def _settled(outcome: Outcome, cells: int, duration_us: int) -> tuple[np.ndarray, np.ndarray]:
    """Times in system of messages between the first tenth of the run and the last, and their cells."""
    sent = outcome.sent
    counted = (sent.capture_us >= duration_us // 10) & (sent.capture_us < duration_us - duration_us // 10)
    return (sent.arrive_us - sent.capture_us)[counted], sent.camera[counted] % cells


def _by_cell(value_M: np.ndarray, cell_M: np.ndarray) -> np.ndarray:
    means: np.ndarray = np.bincount(cell_M, weights=value_M) / np.bincount(cell_M)
    return means


def _blocking(seed: int) -> Iterator[Check]:
    # Packets of nearly one size, so that the buffer's bytes hold exactly `waiting` of them; how long each is
    # on the air is drawn from the exponential distribution by its size.
    waiting, smallest, sizes, load = 4, 10_000, 2_000, 0.9
    duration_s, warm_s, block_s = 500, 20, 10
    air_us = np.concatenate([np.zeros(smallest), exponential(SERVICE_US, sizes)])
    fleet = fleet_on(
        {"sharing": "dedicated", "buffer_bytes": waiting * (smallest + sizes)},
        seed=seed,
        cameras=1000,
        cells=1000,
        duration_us=duration_s * 1_000_000,
        frame_period_us=round(SERVICE_US / load),
        capture=POISSON,
    )
    link = fleet.link._replace(capacity=AIRTIME, airtime_us_B=np.rint(air_us).astype(np.int64))
    outcome = simulate(fleet._replace(link=link), np.arange(smallest, smallest + sizes))
    blocks = slice(warm_s, None)
    dropped_I = outcome.by_second("dropped_buffer")[blocks].reshape(-1, block_s).sum(axis=1)
    offered_I = outcome.by_second("offered")[blocks].reshape(-1, block_s).sum(axis=1)
    room = waiting + 1
    blocked = (1 - load) * load**room / (1 - load ** (room + 1))
    yield by_chance(
        f"M/M/1/{room}", "share that finds it full", dropped_I / offered_I, blocked, int(offered_I.sum())
    )
