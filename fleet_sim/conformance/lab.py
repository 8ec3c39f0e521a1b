"""Fleets that are nothing but links: messages of given sizes through the compiled step, and what came out."""

from typing import Any, NamedTuple

import numpy as np

from fleet_sim.basics.compiled import read_only
from fleet_sim.control.controller import guide_of
from fleet_sim.engine.cameras import Messages, new_cameras, sizes
from fleet_sim.engine.captures import PERIODIC
from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.sent import Sent, room_for, take, together
from fleet_sim.engine.step import DONE, POOL_FULL, count_unfinished, step
from fleet_sim.network.build import link_of
from fleet_sim.network.queues import grown
from fleet_sim.network.spec import LinkSpec

SECOND_US = 1_000_000
NEVER_LATE_US = 10**15
BARE = {"header_bytes": 0, "buffer_bytes": 65_536, "mtu_bytes": 65_536, "queue": "tail", "propagation_us": 0}
"""A link that carries what it is given and nothing else."""


class Outcome(NamedTuple):
    """What came of M messages and how it was counted."""

    sent: Sent  # those that got through, camera by camera, frames rising
    by_second_SC: np.ndarray  # int64; C counts.COLUMNS
    bits_C: np.ndarray  # by cell
    held: int  # messages that cameras hold at the end

    def count(self, column: str, from_s: int = 0) -> int:
        """A column's total from that second on."""
        return int(self.by_second_SC[from_s:, COLUMNS.index(column)].sum())

    def by_second(self, column: str) -> np.ndarray:
        """A column, (S,) int64."""
        column_S: np.ndarray = self.by_second_SC[:, COLUMNS.index(column)]
        return column_S


def fleet_on(
    link: dict[str, Any],
    *,
    seed: int,
    cameras: int,
    cells: int,
    duration_us: int,
    frame_period_us: int,
    capture: int = PERIODIC,
    deadline_us: int = NEVER_LATE_US,
) -> Fleet:
    """A fleet whose messages have no header and are sent as they are, on a `link:` as a scenario has it."""
    return Fleet(
        seed=seed,
        cameras=cameras,
        cells=cells,
        duration_us=duration_us,
        capture=capture,
        frame_period_us=frame_period_us,
        burst_period_us=frame_period_us,
        event_slot_us=SECOND_US,
        event_threshold=0,
        event_us=1,
        spread_us=1,
        encode_us=0,
        message_header_bytes=0,
        deadline_us=deadline_us,
        fixed_level=0,
        observes=False,
        headroom_ppm=1_000_000,
        scenes=1,
        link=link_of(LinkSpec.model_validate({**BARE, **link})),
    )


def simulate(fleet: Fleet, size_bytes: np.ndarray) -> Outcome:
    """Run a fleet to its end.

    size_bytes: (F,) every message takes one of these at random; or (R, N) message n of camera r, rows sorted
    by (cell, camera) as the engine has them, for cameras that take at most N frames.
    """
    each_has_its_own = size_bytes.ndim == 2
    rows = size_bytes.shape[0] if each_has_its_own else 0
    payload_VFL = size_bytes.astype(np.int32).reshape(1, -1, 1)
    messages = Messages(
        sizes_VFL2=sizes(payload_VFL, np.zeros_like(payload_VFL)),
        expected_bits_VL=np.zeros((1, 1), np.int64),
        right_VL=np.zeros((1, 1)),
        right_VFL=np.zeros((0, 0, 0), np.int16),
        live_from_R=np.arange(rows, dtype=np.int64) * (size_bytes.shape[1] if each_has_its_own else 0),
        live_frame_R=np.zeros(rows, np.int64),
    )
    fleet = fleet._replace(scenes=payload_VFL.shape[1])
    fleet = read_only(fleet)
    cameras, uplinks, pool = new_cameras(fleet, np.arange(fleet.cells, dtype=np.int64), (), 1)
    version_from_us_V = read_only(np.zeros(1, np.int64))
    tallies = Counts.zero(1, fleet.seconds, 0, fleet.cells, servers=0).tallies
    state: Any = (fleet, messages, guide_of("fixed"), version_from_us_V, fleet.duration_us)
    parts, why, place = [], POOL_FULL, 0
    while why != DONE:
        sent = room_for(1 << 20)
        why, place, count = step(cameras, uplinks, pool, *state, place, fleet.cells, tallies, sent)
        parts.append(take(sent, slice(0, count)))
        if why == POOL_FULL:
            pool = grown(pool)
    held = count_unfinished(cameras, uplinks, fleet, version_from_us_V, tallies)
    through = together(parts)
    through = take(through, np.lexsort((through.frame, through.camera)))
    return Outcome(through, tallies.by_second_VSC[0], uplinks.cells["wire_bits"], int(held))
