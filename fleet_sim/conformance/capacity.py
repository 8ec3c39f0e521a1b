"""What a cell carries over time, when there is always something to send."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fleet_sim.conformance.check import Check, by_chance, within
from fleet_sim.conformance.lab import SECOND_US, Outcome, fleet_on, simulate
from fleet_sim.engine.captures import POISSON
from fleet_sim.engine.fleet import Fleet
from fleet_sim.network.capacity import capacity_bits
from fleet_sim.network.link import WORK_A_BIT

PACKET_BYTES = 200


def checks(seed: int) -> Iterator[Check]:
    """Token bucket on every window; steps, Markov chains and outages against what they should carry."""
    yield from _token_bucket(seed)
    yield from _busy_cells(seed)
    yield _markov_mean(seed)


def _token_bucket(seed: int) -> Iterator[Check]:
    token_bps, bucket_bytes, line_bps = 16_000, 2_000, 1_000_000
    capacity = {"kind": "token_bucket", "bucket_bytes": bucket_bytes, "line_bps": line_bps}
    fleet = fleet_on(
        {"budget_bps": token_bps, "capacity": capacity, "sharing": "dedicated", "mtu_bytes": 2_000},
        seed=seed,
        cameras=50,
        cells=50,
        duration_us=4_000 * SECOND_US,
        frame_period_us=120_000,  # at times too many, at times none
        capture=POISSON,
    )
    outcome = simulate(fleet, np.array([PACKET_BYTES]))
    excess_bits = max(
        _most_above_rate(outcome.sent.arrive_us[outcome.sent.camera == camera], token_bps)
        for camera in range(fleet.cameras)
    )
    bucket_bits, packet_bits, n = 8 * bucket_bytes, 8 * PACKET_BYTES, len(outcome.sent.camera)
    yield within(
        "token bucket",
        "most bits beyond rate x time, any window",
        excess_bits,
        bucket_bits,
        bucket_bits - packet_bits,
        bucket_bits + token_bps / SECOND_US,  # what is told of times is whole microseconds
        n,
    )


def _most_above_rate(end_us: np.ndarray, bps: int) -> float:
    """Most that packets which end in a window (from the first's end to the last's) hold beyond bps x time."""
    before = 8 * PACKET_BYTES * np.arange(len(end_us)) - bps * end_us / SECOND_US
    return float((before + 8 * PACKET_BYTES - np.minimum.accumulate(before)).max())


def _saturated(link: dict[str, Any], seed: int, cells: int, duration_us: int) -> tuple[Fleet, Outcome]:
    """Cells of four cameras which offer five times what the link carries."""
    budget_bps = 40_000
    fleet = fleet_on(
        {"budget_bps": budget_bps, **link},
        seed=seed,
        cameras=4 * cells,
        cells=cells,
        duration_us=duration_us,
        frame_period_us=4 * 8 * PACKET_BYTES * SECOND_US // (5 * budget_bps),
    )
    return fleet, simulate(fleet, np.array([PACKET_BYTES]))


STEPS = {"kind": "piecewise", "repeat_us": 7 * SECOND_US, "steps": [
    {"at_us": 0, "weight": 3}, {"at_us": 2 * SECOND_US, "weight": 0}, {"at_us": 3 * SECOND_US, "weight": 1},
]}  # fmt: skip
CHAIN = {
    "kind": "markov",
    "slot_us": SECOND_US,
    "weights": [3, 1, 0],
    "dwell_us": [4_000_000, 6_000_000, 2_000_000],
}


def _busy_cells(seed: int) -> Iterator[Check]:
    """A busy cell carries all that the link could have, but for a packet that is not through at the end."""
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "link"
        gaps_ms = np.random.default_rng(seed).geometric(0.02, 300)
        trace.write_text("\n".join(map(str, np.cumsum(gaps_ms))), encoding="ascii")
        shapes: dict[str, dict[str, Any]] = {
            "constant": {"kind": "constant"},
            "piecewise": STEPS,
            "Markov": CHAIN,
            "trace": {"kind": "trace", "path": trace},
        }
        outcomes = {
            name: _saturated({"capacity": shape}, seed, 20, 200 * SECOND_US) for name, shape in shapes.items()
        }
    for model, (fleet, outcome) in outcomes.items():
        upto = [capacity_bits(fleet.link, seed, cells, fleet.duration_us) for cells in range(fleet.cells + 1)]
        missed_C = np.diff(upto) - outcome.bits_C
        # What the link could have carried before the first message was there.
        peak_bps = max([fleet.link.bps, *fleet.link.bps_S.tolist()])
        first_us = fleet.frame_period_us
        burst_bits = int(fleet.link.burst_work_S.max(initial=0)) // WORK_A_BIT
        most = 8 * PACKET_BYTES + peak_bps * first_us // SECOND_US + 2 * burst_bits
        yield within(
            model,
            "most bits of a busy cell not carried",
            float(missed_C.max()),
            0,
            0,
            most,
            len(outcome.sent.camera),
        )
    outages = [{"from_us": 50 * SECOND_US, "to_us": 90 * SECOND_US}]
    fleet, outcome = _saturated({"outages": outages}, seed, 20, 200 * SECOND_US)
    bits_S = outcome.by_second("wire_bits")
    yield within(
        "outage", "bits carried in it", float(bits_S[51:90].sum()), 0, 0, 0, len(outcome.sent.camera)
    )


def _markov_mean(seed: int) -> Check:
    fleet, outcome = _saturated({"capacity": CHAIN}, seed, 200, 400 * SECOND_US)
    bps_C = outcome.bits_C * SECOND_US / fleet.duration_us
    n = len(outcome.sent.camera)
    return by_chance("Markov", "mean rate, bit/s", bps_C, fleet.link.budget_bps, n)
