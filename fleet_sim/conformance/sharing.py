"""Who gets how much of a shared cell that cannot carry all."""

from collections.abc import Iterator

import numpy as np

from fleet_sim.conformance.check import Check, within
from fleet_sim.conformance.lab import SECOND_US, Outcome, fleet_on, simulate
from fleet_sim.engine.fleet import Fleet, cameras_of_cells

CAMERAS = 10
BUDGET_BPS = 80_000
SECONDS = 400


def checks(seed: int) -> Iterator[Check]:
    """Max-min against water filling, round robin by packets, proportional fair by its gain."""
    yield from _max_min(seed)
    yield _round_robin(seed)
    yield _proportional_fair(seed)


def max_min_shares(wanted: np.ndarray, capacity: float) -> np.ndarray:
    """(R,) the max-min fair allocation: whoever wants less than an equal share of what is left gets it.

    D. Bertsekas, R. Gallager, "Data Networks", 2nd ed., 1992, section 6.5.2.
    """
    given = np.zeros(len(wanted))
    left = capacity
    order = np.argsort(wanted, kind="stable")
    for done, row in enumerate(order):
        given[row] = min(wanted[row], left / (len(wanted) - done))
        left -= given[row]
    return given


def _crowded(
    sharing: str, seed: int, size_R: np.ndarray, **more: object
) -> tuple[Fleet, Outcome, np.ndarray]:
    """A cell of cameras, each with ten messages a second of its own size; and the bits each got through."""
    fleet = fleet_on(
        {"budget_bps": BUDGET_BPS, "sharing": sharing, "buffer_bytes": 20_000, **more},
        seed=seed,
        cameras=CAMERAS,
        cells=1,
        duration_us=SECONDS * SECOND_US,
        frame_period_us=SECOND_US // 10,
    )
    frames = 10 * SECONDS + 1
    outcome = simulate(fleet, np.repeat(size_R[:, None], frames, axis=1))
    through_R = np.bincount(outcome.sent.camera, minlength=CAMERAS) * 8 * size_R
    assert cameras_of_cells(fleet, np.zeros(1, np.int64))[0].tolist() == list(range(CAMERAS))
    return fleet, outcome, through_R


def _max_min(seed: int) -> Iterator[Check]:
    size_R = np.array([20, 20, 50, 80, 95, 110, 150, 200, 400, 1000])
    _, outcome, through_R = _crowded("max_min", seed, size_R)
    wanted_bps = size_R * 8 * 10.0
    fair_bps = max_min_shares(wanted_bps, BUDGET_BPS)
    got_bps = through_R / SECONDS
    # What may differ: what is in a queue at the end, or a packet each for those that take turns.
    slack_bps = 8 * (20_000 + 2 * size_R.max()) / SECONDS
    yield within(
        "max-min",
        "furthest of ten from fair rate, bit/s",
        float(np.abs(got_bps - fair_bps).max()),
        0,
        0,
        slack_bps,
        len(outcome.sent.camera),
    )
    full_R = got_bps < wanted_bps - slack_bps
    yield within(
        "max-min",
        "least of those held back / most of all",
        float(got_bps[full_R].min() / got_bps.max()),
        1,
        1 - slack_bps / got_bps.max(),
        1,
        len(outcome.sent.camera),
    )


def _round_robin(seed: int) -> Check:
    size_R = np.array([100, 150, 200, 250, 300, 350, 400, 450, 500, 550])
    _, outcome, through_R = _crowded("round_robin", seed, size_R)
    packets_R = through_R / (8 * size_R)
    return within(
        "round robin",
        "most packets of a camera - fewest",
        float(np.ptp(packets_R)),
        0,
        0,
        2,
        len(outcome.sent.camera),
    )


def _proportional_fair(seed: int) -> Check:
    # Equal cameras whose rates are drawn alike: the one at its best is served, so the cell carries its rate
    # times the expected best of the draws (Viswanath, Tse, Laroia, "Opportunistic beamforming using dumb
    # antennas", 2002, section II), but for what it costs to keep shares even within the half-life.
    weights = [0.5, 1.0, 1.5]
    fading = {"kind": "blocks", "coherence_us": 200_000, "weights": weights}
    size_R = np.full(CAMERAS, 400)
    _, outcome, through_R = _crowded(
        "proportional_fair", seed, size_R, fading=fading, half_life_us=20 * SECOND_US
    )
    best = 1.5 - 0.5 * (2 / 3) ** CAMERAS - 0.5 * (1 / 3) ** CAMERAS
    gain = float(through_R.sum()) / (SECONDS * BUDGET_BPS)
    return within(
        "proportional fair",
        "gain over serving in turn",
        gain,
        best,
        0.97 * best,
        best,
        len(outcome.sent.camera),
    )
