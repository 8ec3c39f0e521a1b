"""Small fleets given in full, and how the engine runs them: in any steps, on any number of shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.basics.hashing import STREAM_PHASE, STREAM_SCENE, draw_below
from fleet_sim.engine.answers import Batching, look_up, nothing_waits, serve
from fleet_sim.engine.cameras import Messages, count_unfinished, new_cameras, step
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet, Schedule, cells_of_shard
from fleet_sim.engine.sent import Sent, room_for, take, together


@dataclass(frozen=True)
class Case:
    """One sweep point with its bank."""

    fleet: Fleet
    payload_bytes: np.ndarray  # (V, L, F) int32
    millibits: np.ndarray  # (V, L, F) int32
    expected_bits: np.ndarray  # (V, L) int64, rising over L
    version_from_us: tuple[int, ...]
    right: np.ndarray  # (V, H, L, F) bool
    head_from_us: tuple[int, ...]
    heads: tuple[int, ...]
    batching: tuple[int, int, int, int]  # most frames, longest wait, us a batch, us a frame
    servers: int
    named: tuple[int, ...]

    def capture_us(self, camera: int, frame: int) -> int:
        phase_us = draw_below(self.fleet.seed, STREAM_PHASE, camera, 0, self.fleet.frame_period_us)
        return int(phase_us) + frame * self.fleet.frame_period_us

    def scene(self, camera: int, frame: int) -> int:
        return int(draw_below(self.fleet.seed, STREAM_SCENE, camera, frame, self.fleet.scenes))


def run_engine(case: Case, ends_us: Sequence[int] = (), shards: int = 1) -> tuple[Counts, Sent]:
    """Everything counted and every message sent, with stops at `ends_us` on the way to the end."""
    fleet = case.fleet
    versions = len(case.version_from_us)
    version_from_us = np.array(case.version_from_us, np.int64)
    nothing = np.zeros(0, np.int64)
    messages = Messages(case.payload_bytes, case.millibits, case.expected_bits, nothing, nothing)
    schedule = Schedule(np.array(case.head_from_us, np.int64), np.array(case.heads, np.int64))

    def zero() -> Counts:
        return Counts.zero(versions, fleet.seconds, len(case.named), fleet.cells)

    cell_sC = [cells_of_shard(fleet.cells, shard, shards) for shard in range(shards)]
    members = [(cell_C, *new_cameras(fleet, cell_C, case.named, case.servers), zero()) for cell_C in cell_sC]
    waiting = [(nothing_waits(), zero(), 0) for _ in range(case.servers)]
    all_sent = []
    most = fleet.cameras * (fleet.duration_us // fleet.frame_period_us + 1)
    for until_us in [*ends_us, fleet.duration_us]:
        arrived = []
        for cell_C, cameras, uplinks, counts in members:
            sent, sent_from_S = room_for(most), np.zeros(case.servers + 1, np.int64)
            bits_C = np.zeros(len(cell_C), np.int64)
            state: Any = (cameras, uplinks, fleet, messages, version_from_us, until_us)
            step(*state, counts.by_second_VSC, counts.cells_KSC, bits_C, sent, sent_from_S)
            counts.wire_bits_by_cell[cell_C] += bits_C
            arrived.append([take(sent, slice(*ends)) for ends in pairwise(sent_from_S.tolist())])
        all_sent += [part for by_server in arrived for part in by_server]
        for server, (held, counts, after_end) in enumerate(waiting):
            mine = [by_server[server] for by_server in arrived]
            held, late = serve(
                held,
                mine,
                until_us,
                fleet,
                schedule,
                Batching(*case.batching),
                lambda frames, head_M: look_up(frames, head_M, fleet, case.right),
                counts,
                case.named,
            )
            waiting[server] = held, counts, after_end + late

    total = zero()
    for _, cameras, uplinks, counts in members:
        held_frames = count_unfinished(
            cameras, uplinks, fleet, version_from_us, counts.by_second_VSC, counts.cells_KSC
        )
        total = total + counts + in_flight(zero(), held_frames)
    for held, counts, after_end in waiting:
        total = total + counts + in_flight(zero(), after_end + len(held.frames.camera))
    return total, together(all_sent)


def in_flight(nothing: Counts, frames: int) -> Counts:
    return Counts(
        nothing.by_second_VSC, nothing.cells_KSC, nothing.latency_VB, nothing.wire_bits_by_cell, int(frames)
    )
