"""Nothing appears from nowhere and nothing gets lost: messages and bytes with everything switched on."""

from collections.abc import Iterator

import numpy as np

from fleet_sim.conformance.check import Check, exactly, within
from fleet_sim.conformance.lab import SECOND_US, fleet_on, simulate
from fleet_sim.engine.captures import POISSON
from fleet_sim.engine.counts import DROP_REASONS

HEADER, FRAGMENT, MTU = 20, 3, 120


def checks(seed: int) -> Iterator[Check]:
    """Every message ends once; every byte on the air is a message's or a header's."""
    messy = fleet_on(
        {
            "budget_bps": 20_000,
            "capacity": {
                "kind": "markov",
                "slot_us": SECOND_US,
                "weights": [2, 0],
                "dwell_us": [5_000_000, 2_000_000],
            },
            "header_bytes": HEADER,
            "fragment_bytes": FRAGMENT,
            "mtu_bytes": MTU,
            "buffer_bytes": 1_000,
            "aggregate": 3,
            "aggregate_wait_us": 100_000,
            "queue": "late",
            "loss": {"kind": "gilbert_elliott", "p": 0.05, "r": 0.3},
            "retries": 2,
            "jitter_us": 10_000,
            "outages": [{"from_us": 20 * SECOND_US, "to_us": 25 * SECOND_US}],
        },
        seed=seed,
        cameras=200,
        cells=20,
        duration_us=300 * SECOND_US,
        frame_period_us=SECOND_US // 3,
        capture=POISSON,
        deadline_us=2 * SECOND_US,
    )
    outcome = simulate(messy, np.arange(10, 300))
    ended = outcome.count("sent") + sum(outcome.count(f"dropped_{reason}") for reason in DROP_REASONS)
    offered = outcome.count("offered")
    yield exactly(
        "conservation", "messages offered - ended - held", offered - ended - outcome.held, 0, offered
    )

    yield _aggregated(seed)
    yield _fragmented(seed)


def _aggregated(seed: int) -> Check:
    """Whole messages only, so that what is on the air is counted at one moment with what it carries."""
    length_bytes = 2
    fleet = fleet_on(
        {"budget_bps": 30_000, "header_bytes": HEADER, "aggregate": 4, "aggregate_wait_us": 3 * SECOND_US},
        seed=seed,
        cameras=100,
        cells=10,
        duration_us=300 * SECOND_US,
        frame_period_us=2 * SECOND_US,
        capture=POISSON,
    )
    outcome = simulate(fleet, np.arange(10, 300))
    packets, messages = outcome.count("packets"), outcome.count("sent")
    around = 8 * (HEADER * packets + length_bytes * messages)
    left = outcome.count("wire_bits") - outcome.count("payload_bits") - around
    return exactly("conservation", "bits not accounted for, aggregated", left, 0, packets)


def _fragmented(seed: int) -> Check:
    cameras, seconds = 100, 300
    fleet = fleet_on(
        {
            "budget_bps": 100_000_000,
            "sharing": "dedicated",
            "header_bytes": HEADER,
            "fragment_bytes": FRAGMENT,
            "mtu_bytes": MTU,
        },
        seed=seed,
        cameras=cameras,
        cells=cameras,
        duration_us=seconds * SECOND_US,
        frame_period_us=SECOND_US,
    )
    size_RN = np.random.default_rng(seed).integers(10, 1000, (cameras, seconds + 1))
    outcome = simulate(fleet, size_RN)
    size_M = size_RN[outcome.sent.camera, outcome.sent.frame]
    whole, room = MTU - HEADER, MTU - HEADER - FRAGMENT
    packets_M = np.where(size_M <= whole, 1, -(-size_M // room))
    headers_M = packets_M * (HEADER + FRAGMENT * (packets_M > 1))
    left = outcome.count("wire_bits") - 8 * int((size_M + headers_M).sum())
    # Of messages that are not through at the end, packets may be.
    most = 8 * outcome.held * 1300
    packets = outcome.count("packets")
    return within("conservation", "bits not accounted for, fragmented", left, 0, 0, most, packets)
