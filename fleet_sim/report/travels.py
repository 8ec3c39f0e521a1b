"""How encoders reached the cameras over the air: how many, when, and what of the downlink they took."""

from typing import TypedDict

import numpy as np

from fleet_sim.engine.air import BITS, BLOCKS, BLOCKS_LOST, FAILED, LEFT, TAKEN_UP
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


def travel_rows(counts: Counts, fleet: Fleet, sent: str) -> dict[str, TravelRow]:
    """A row for each of train.updates, by its number from 1 on; empty where encoders do not travel."""
    air_VSQ = counts.air_VGSQ.sum(axis=1)
    return {str(version): _row(air_SQ, fleet, sent) for version, air_SQ in enumerate(air_VSQ) if version}


def _row(air_SQ: np.ndarray, fleet: Fleet, sent: str) -> TravelRow:
    total_Q = air_SQ.sum(axis=0)
    taken_S = np.cumsum(air_SQ[:, TAKEN_UP])
    seconds_sent = np.flatnonzero(air_SQ[:, BITS])
    open_bits = (np.ptp(seconds_sent) + 1) * fleet.downlink.bps * fleet.cells if len(seconds_sent) else 0
    cameras = int(total_Q[TAKEN_UP])

    def reached_s(least: int) -> float | None:
        return float(np.searchsorted(taken_S, least)) + 1 if cameras else None

    return {
        "sent": sent,
        "downlink_bits": int(total_Q[BITS]),
        "downlink_share": ratio(int(total_Q[BITS]), int(open_bits)),
        "blocks": int(total_Q[BLOCKS]),
        "blocks_lost": int(total_Q[BLOCKS_LOST]),
        "taken_up": cameras,
        "at_end": cameras - int(total_Q[LEFT]),
        "installs_failed": int(total_Q[FAILED]),
        "first_s": reached_s(1),
        "half_s": reached_s(-(-cameras // 2)),
        "last_s": reached_s(cameras),
    }


def travel_words(encoder: str, content_bytes: int, row: TravelRow, cameras: int) -> str:
    """A line about one encoder's way, of so many bytes for each camera."""
    sent = f"encoder {encoder[:8]}: {content_bytes:,} bytes a camera"
    failed = f", {words.counted(row['installs_failed'], 'install')} failed" if row["installs_failed"] else ""
    if row["last_s"] is None:
        return f"{sent}; no camera has it yet{failed}"
    return (
        f"{sent}; {row['taken_up']:,} of {words.counted(cameras, 'camera')} took it up, half of them by "
        f"{row['half_s']:,.0f} s, the last by {row['last_s']:,.0f} s{failed}; "
        f"{row['at_end']:,} have it at the end"
    )
