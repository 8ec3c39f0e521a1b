"""How encoders reached the cameras over the air: how many, when, and what of the downlink they took."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from fleet_sim.camera.energy import Rates
from fleet_sim.engine.air import BITS, BLOCKS, BLOCKS_LOST, FAILED, LEFT, RETURNED, TAKEN_UP
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.figures import ratio
from fleet_sim.engine.fleet import Fleet
from fleet_sim.report import words


class TravelRow(TypedDict):
    """One encoder's way to the fleet; times are virtual seconds at whose end it was so, None if never."""

    sent: str  # delta or whole
    downlink_bits: int
    downlink_share: float | None  # of what was open to encoders from the first bit to the last
    blocks: int
    blocks_lost: int
    taken_up: int  # cameras, of all seeds together
    at_end: int  # of these, those that have it still
    installs_failed: int
    first_s: float | None
    half_s: float | None  # half of those that took it up
    last_s: float | None
    joules_a_camera: float | None  # to receive it, in the mean of the fleet; None without a camera.device


def travel_rows(counts: Counts, fleet: Fleet, sent: str, rates: Rates | None = None) -> dict[str, TravelRow]:
    """A row for each of train.updates, by its number from 1 on; empty where encoders do not travel.

    Commands that take one back are in its row. A camera that went back to an encoder has it again, but did
    not take it up another time.
    """
    air_VSQ = counts.air_VGSQ.sum(axis=1)
    return {
        str(version): _row(air_SQ, fleet, sent, rates) for version, air_SQ in enumerate(air_VSQ) if version
    }


def _row(air_SQ: np.ndarray, fleet: Fleet, sent: str, rates: Rates | None) -> TravelRow:
    total_Q = air_SQ.sum(axis=0)
    taken_S = np.cumsum(air_SQ[:, TAKEN_UP] - air_SQ[:, RETURNED])
    seconds_sent = np.flatnonzero(air_SQ[:, BITS])
    open_bits = (np.ptp(seconds_sent) + 1) * fleet.downlink.bps * fleet.cells if len(seconds_sent) else 0
    cameras = int(taken_S[-1])
    joules = int(total_Q[BITS]) * rates.received_bit_pj / 1e12 if rates else None

    def reached_s(least: int) -> float | None:
        return float(np.searchsorted(taken_S, least)) + 1 if cameras else None

    return {
        "sent": sent,
        "downlink_bits": int(total_Q[BITS]),
        "downlink_share": ratio(int(total_Q[BITS]), int(open_bits)),
        "blocks": int(total_Q[BLOCKS]),
        "blocks_lost": int(total_Q[BLOCKS_LOST]),
        "taken_up": cameras,
        "at_end": int(total_Q[TAKEN_UP] - total_Q[LEFT]),
        "installs_failed": int(total_Q[FAILED]),
        "first_s": reached_s(1),
        "half_s": reached_s(-(-cameras // 2)),
        "last_s": reached_s(cameras),
        "joules_a_camera": None if joules is None else round(joules / fleet.cameras, 9),
    }


def travel_words(encoders: Sequence[str], content_bytes: Sequence[int], row: TravelRow, cameras: int) -> str:
    """A line about the way of the last of `encoders`, of so many bytes to a camera with each before it."""
    sent = f"encoder {encoders[-1][:8]}: {content_bytes[-1]:,} bytes a camera"
    for before, others in zip(encoders, content_bytes[:-1], strict=False):
        if others != content_bytes[-1]:
            sent += f", {others:,} to one that still has {before[:8]}"
    if row["joules_a_camera"] is not None:
        sent += f", {row['joules_a_camera']:.3g} J to receive"
    failed = f", {words.counted(row['installs_failed'], 'install')} failed" if row["installs_failed"] else ""
    if row["last_s"] is None:
        return f"{sent}; no camera has it yet{failed}"
    return (
        f"{sent}; {row['taken_up']:,} of {words.counted(cameras, 'camera')} took it up, half of them by "
        f"{row['half_s']:,.0f} s, the last by {row['last_s']:,.0f} s{failed}; "
        f"{row['at_end']:,} have it at the end"
    )
