"""Small fleets given in full, and how the engine runs them: in any steps, on any number of shards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.basics.compiled import read_only
from fleet_sim.control.controller import guide_of
from fleet_sim.engine.answers import Batching, look_up, nothing_waits, serve
from fleet_sim.engine.cameras import Messages, new_cameras, sizes
from fleet_sim.engine.captures import PERIODIC
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet, Schedule, cells_of_shard
from fleet_sim.engine.sent import Sent, room_for, take, together
from fleet_sim.engine.step import DONE, POOL_FULL, count_unfinished, step
from fleet_sim.network.build import link_of
from fleet_sim.network.link import Link
from fleet_sim.network.queues import grown
from fleet_sim.network.spec import LinkSpec
from fleet_sim.serving.table import line_us

SMALL_ROOM = 5  # messages that a step writes down at once, so that it has to stop on the way


def link(bps: int, **changes: Any) -> Link:
    """A cell of constant rate, max-min fair, with other constants changed."""
    return link_of(LinkSpec())._replace(bps=bps, budget_bps=bps, **changes)


def periodic(**fields: Any) -> Fleet:
    """A fleet of periodic cameras."""
    unused = {"burst_period_us": 1, "event_slot_us": 1, "event_threshold": 0, "event_us": 0, "spread_us": 1}
    return Fleet(**{"capture": PERIODIC, "observes": False, **unused, **fields})


@dataclass(frozen=True)
class Case:
    """One sweep point with its bank."""

    fleet: Fleet
    payload_bytes: np.ndarray  # (V, F, L) int32
    millibits: np.ndarray  # (V, F, L) int32
    expected_bits: np.ndarray  # (V, L) int64, rising over L
    version_from_us: tuple[int, ...]
    right: np.ndarray  # (V, H, L, F) bool
    head_from_us: tuple[int, ...]
    heads: tuple[int, ...]
    batching: tuple[int, int, int, int]  # most frames, longest wait, us a batch, us a frame
    servers: int
    named: tuple[int, ...]
    controller: str = "budget"  # where fleet.observes

    @property
    def right_share(self) -> np.ndarray:
        """(V, L) what a calibration on these very scenes would say of the first head."""
        share: np.ndarray = np.ascontiguousarray(self.right[:, 0].mean(axis=2))
        return share

    @property
    def frame_right(self) -> np.ndarray:
        """(V, F, L) estimates: half of the share, half of the truth, in ten-thousandths."""
        known_VFL = np.moveaxis(self.right[:, 0], 1, 2)
        return np.rint(5000 * (self.right_share[:, None] + known_VFL)).astype(np.int16, order="C")


class Cells:
    """Some whole cells of a case, as a shard has them."""

    def __init__(self, case: Case, cell_C: np.ndarray, counts: Counts):
        self.case, self.cell_C, self.counts = case, cell_C, counts
        self.cameras, self.uplinks, self.pool = new_cameras(case.fleet, cell_C, case.named, case.servers)
        nothing = np.zeros(0, np.int64)
        self.messages = Messages(
            sizes(case.payload_bytes, case.millibits),
            case.expected_bits,
            case.right_share,
            case.frame_right,
            nothing,
            nothing,
        )
        self.guide = guide_of(case.controller)
        self.fleet = read_only(case.fleet)  # as shards have it, so that the step is compiled once
        self.version_from_us_V = read_only(np.array(case.version_from_us, np.int64))

    def move(self, until_us: int) -> list[Sent]:
        """Go on to `until_us`: what got through, server by server."""
        given = (self.fleet, self.messages, self.guide, self.version_from_us_V, until_us)
        by_server = []
        for place, last in pairwise(self.cameras.from_S.tolist()):
            parts, why = [], POOL_FULL
            while why != DONE:
                sent = room_for(SMALL_ROOM + self.case.fleet.link.aggregate)
                state = (self.cameras, self.uplinks, self.pool)
                why, place, count = step(*state, *given, place, last, self.counts.tallies, sent)
                parts.append(take(sent, slice(0, count)))
                if why == POOL_FULL:
                    self.pool = grown(self.pool)
            by_server.append(together(parts))
        self.counts.wire_bits_by_cell[self.cell_C] = self.uplinks.cells["wire_bits"]
        return by_server

    def finish(self) -> int:
        """Offer what was captured at the end and is not ready; how many messages the cameras hold."""
        given = (self.cameras, self.uplinks, self.fleet, self.version_from_us_V)
        return int(count_unfinished(*given, self.counts.tallies))


def run_engine(case: Case, ends_us: Sequence[int] = (), shards: int = 1) -> tuple[Counts, Sent]:
    """Everything counted and every message sent, with stops at `ends_us` on the way to the end."""
    fleet = case.fleet
    schedule = Schedule(np.array(case.head_from_us, np.int64), np.array(case.heads, np.int64))

    def zero() -> Counts:
        return nothing_counted(case)

    members = [Cells(case, cells_of_shard(fleet.cells, shard, shards), zero()) for shard in range(shards)]
    most, max_wait_us, batch_us, frame_us = case.batching
    line_us_N = line_us(batch_us, frame_us, most)
    batching = Batching(max_wait_us, np.stack([line_us_N] * case.right.shape[1]))
    waiting = [(nothing_waits(), zero(), 0) for _ in range(case.servers)]
    all_sent = []
    for until_us in [*ends_us, fleet.duration_us]:
        arrived = [member.move(until_us) for member in members]
        all_sent += [part for by_server in arrived for part in by_server]
        for server, (held, counts, after_end) in enumerate(waiting):
            held, late = serve(
                held,
                [by_server[server] for by_server in arrived],
                until_us,
                fleet,
                schedule,
                batching,
                lambda frames, head_M, otherwise_M, done_us_M: look_up(frames, head_M, fleet, case.right),
                counts,
                case.named,
                server,
            )
            waiting[server] = held, counts, after_end + late

    total = zero()
    for member in members:
        held_frames = member.finish()
        total = total + member.counts + in_flight(zero(), held_frames)
    for held, counts, after_end in waiting:
        total = total + counts + in_flight(zero(), after_end + len(held.frames.camera))
    return total, together(all_sent)


def nothing_counted(case: Case) -> Counts:
    fleet = case.fleet
    versions, named = len(case.version_from_us), len(case.named)
    return Counts.zero(
        versions, fleet.seconds, named, fleet.cells, case.servers, fleet.counted_groups, case.right.shape[1]
    )


def in_flight(nothing: Counts, frames: int) -> Counts:
    return replace(nothing, in_flight=int(frames))
