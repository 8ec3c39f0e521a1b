"""A camera shard: whole cells of cameras, simulated from one virtual time to the next."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.basics.compiled import read_only
from fleet_sim.basics.errors import UserError
from fleet_sim.basics.memory import keep_memory
from fleet_sim.camera.energy import Did
from fleet_sim.cluster.bank import one_scene
from fleet_sim.cluster.calibration import Curves
from fleet_sim.cluster.carrying import Carrying
from fleet_sim.cluster.host import MemberLost
from fleet_sim.cluster.live import Coded, LiveCameras
from fleet_sim.cluster.point import Delivery, Moved, Point
from fleet_sim.control.allocation import EQUAL
from fleet_sim.control.controller import Guide, guide_of
from fleet_sim.control.observation import RAISED
from fleet_sim.engine.air import FAILED, LEFT, TAKEN_UP, carry, obey
from fleet_sim.engine.allocating import allocate_cells
from fleet_sim.engine.cameras import Cameras, Messages, new_cameras
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import cells_of_shard
from fleet_sim.engine.orders import NO_ORDER, Known, Order
from fleet_sim.engine.sent import Sent, room_for, together
from fleet_sim.engine.step import DONE, NO_LEVEL, POOL_FULL, count_unfinished, step
from fleet_sim.network.queues import Pool, grown
from fleet_sim.network.uplink import Uplinks

ROOM = 1 << 17  # messages that a step writes down before it lets them be taken away


@dataclass
class _State:
    point: Point
    cell_C: np.ndarray
    cameras: Cameras
    uplinks: Uplinks
    pool: Pool
    counts: Counts
    coded: Coded  # live: messages at every level of frames not yet sent
    obeyed: int = NO_ORDER.number  # the last order
    now_us: int = 0  # all before it has happened


class CameraShard(Carrying):
    """Cameras as rows of arrays. All it knows comes through these calls, so it can be rebuilt from them."""

    def __init__(self, shard: int, shards: int):
        keep_memory()
        self._shard, self._shards = shard, shards
        self._sent = room_for(ROOM)
        self.reset()

    def reset(self) -> None:
        """No versions, no cameras."""
        super().reset()
        self._state: _State | None = None
        self._guide: Guide = guide_of("budget")

    def warm(self, point: Point) -> None:
        """Compile what steps need, or load it, before they are asked for; leaves nothing else behind."""
        trial = CameraShard(0, 1)
        groups = max(1, point.fleet.counted_groups)
        curves = Curves(np.zeros((groups, 1)), np.zeros((groups, point.heads, 1)))
        trial.add_version(np.zeros(1, np.int64), one_scene(), curves=curves)
        trial.begin(point)
        nothing = Order(0, 0, 0, 0, 0, np.ones(1, np.int64), False)
        at_first = Known(np.zeros(1, np.int64), nothing if point.fleet.downlink.bps else NO_ORDER)
        trial.step(point.fleet.duration_us, at_first, False)
        trial.finish(at_first)

    def begin(self, point: Point) -> None:
        """Open a sweep point: cameras before their first frame."""
        point = point.for_steps()
        self._guide = guide_of(point.controller, point.own_controller)
        cell_C = cells_of_shard(point.fleet.cells, self._shard, self._shards)
        opened = new_cameras(point.fleet, cell_C, point.named_cells, point.servers, point.versions)
        counts = point.nothing_counted()
        self._state = _State(point, cell_C, *opened, counts, {})

    def step(self, until_us: int, known: Known, snapshot: bool) -> list[Any]:
        """Go on to `until_us`: [Moved, the new state, a Delivery for each server member].

        The state is None where no `snapshot` is asked for.
        """
        state, known = self._here(), read_only(known)
        counts = state.counts
        before_VC, before_VS3 = counts.by_second_VSC.sum(axis=1), _installs(counts)
        if known.order.number != NO_ORDER.number:
            self._carry(state, until_us, known)
        messages = self._messages(state, until_us, known.from_us_V)
        by_server = self._move_on(state, messages, until_us, known.from_us_V)
        counts.wire_bits_by_cell[state.cell_C] = state.uplinks.cells["wire_bits"]
        deliveries = self._deliver(state, by_server)
        changed_VS3 = _installs(counts) - before_VS3
        version_N, second_N = np.nonzero(changed_VS3.any(axis=2))
        moved = Moved(
            counts.by_second_VSC.sum(axis=1) - before_VC,
            np.column_stack([version_N, second_N, changed_VS3[version_N, second_N]]),
        )
        return [moved, state if snapshot else None, *deliveries]

    def finish(self, known: Known) -> Counts:
        """Close the point at the end of its time: everything this shard counted."""
        state, known = self._here(), read_only(known)
        counts = state.counts.copy()
        held = count_unfinished(
            state.cameras,
            state.uplinks,
            state.point.fleet,
            known.from_us_V,
            counts.tallies,
        )
        if state.point.fleet.metered:
            meters, camera_R = state.cameras.meters, state.uplinks.cameras["camera"]
            counts.did_R4[camera_R] = np.stack([meters[name] for name in Did._fields], axis=1)
        return replace(counts, in_flight=int(held))

    def restore(self, snapshot: _State) -> None:
        """Go back to a state that `step` returned (shared memory is read-only, so it is copied)."""
        self._guide = guide_of(snapshot.point.controller, snapshot.point.own_controller)
        self._state = _State(
            snapshot.point.for_steps(),
            snapshot.cell_C,
            Cameras(*(np.array(column) for column in snapshot.cameras)),
            Uplinks(*(np.array(column) for column in snapshot.uplinks)),
            Pool(*(np.array(column) for column in snapshot.pool)),
            snapshot.counts.copy(),
            dict(snapshot.coded),
            snapshot.obeyed,
            snapshot.now_us,
        )

    def _here(self) -> _State:
        if self._state is None:
            raise MemberLost("no sweep point is open here")
        return self._state

    @staticmethod
    def _carry(state: _State, until_us: int, known: Known) -> None:
        """Let encoders travel; before frames are coded, for a camera knows what it has."""
        given = (state.cameras, state.uplinks, state.point.fleet, known.order)
        if known.order.number != state.obeyed:
            obey(*given, state.counts.air_VGSQ)
            state.obeyed = known.order.number
        carry(*given, until_us, state.counts.air_VGSQ)

    def _messages(self, state: _State, until_us: int, version_from_us_V: np.ndarray) -> Messages:
        """What cameras may send before `until_us`."""
        if not state.point.live:
            return self._from_bank(state.point)
        rows = (state.cameras, state.uplinks)
        return self._coded_live(state.point, *rows, version_from_us_V, until_us, state.coded)

    def _move_on(
        self, state: _State, messages: Messages, until_us: int, version_from_us_V: np.ndarray
    ) -> list[Sent]:
        """Take every event before `until_us`, with base stations allocating at the boundaries on the way."""
        fleet, moved = state.point.fleet, list[list[Sent]]()
        if fleet.allocation.kind != EQUAL:
            period_us = fleet.allocation.period_us
            for at_us in range(-(-state.now_us // period_us) * period_us, until_us, period_us):
                moved.append(self._move(state, messages, at_us, version_from_us_V))
                allocate_cells(state.cameras, state.uplinks, fleet, messages.hulls, version_from_us_V, at_us)
        moved.append(self._move(state, messages, until_us, version_from_us_V))
        state.now_us = until_us
        return [together(parts) for parts in zip(*moved, strict=True)]

    def _move(
        self, state: _State, messages: Messages, until_us: int, version_from_us_V: np.ndarray
    ) -> list[Sent]:
        """Take every event before `until_us`: what reached each server."""
        sent, by_server = self._sent, list[Sent]()
        for place, last in pairwise(state.cameras.from_S.tolist()):
            parts, end = list[Sent](), DONE - 1
            while end != DONE:
                end, place, count = step(
                    state.cameras,
                    state.uplinks,
                    state.pool,
                    state.point.fleet,
                    messages,
                    self._guide,
                    version_from_us_V,
                    until_us,
                    place,
                    last,
                    state.counts.tallies,
                    sent,
                )
                if end == NO_LEVEL and place == RAISED:
                    raise UserError(
                        f"{state.point.controller}: raised an error, or asked for a place that a list does "
                        "not have"
                    )
                if end == NO_LEVEL:
                    raise UserError(
                        f"{state.point.controller}: gave level {place}; there are 0 to "
                        f"{messages.expected_bits_VL.shape[1] - 1}, and -1 to skip a frame"
                    )
                if end == POOL_FULL:
                    state.pool = grown(state.pool)
                parts.append(Sent(*(column[:count].copy() for column in sent)))
            by_server.append(together(parts))
        return by_server

    def _deliver(self, state: _State, by_server: list[Sent]) -> list[Delivery]:
        deliveries = []
        for hosted in state.point.servers_of_member:
            frames, by_server = by_server[:hosted], by_server[hosted:]
            deliveries.append(Delivery(frames, self._bytes(state, frames) if state.point.live else {}))
        if state.point.live:
            LiveCameras.forget(state.coded, state.uplinks, state.pool)
        return deliveries

    @staticmethod
    def _bytes(state: _State, by_server: list[Sent]) -> dict[tuple[int, int], bytes]:
        return {
            (int(camera), int(frame)): state.coded.pop((int(camera), int(frame)))[level]
            for sent in by_server
            for camera, frame, level in zip(sent.camera, sent.frame, sent.level, strict=True)
        }


def _installs(counts: Counts) -> np.ndarray:
    """(V, S, 3) cameras that took a version up, that could not, and that gave it up, of all groups."""
    installs_VS3: np.ndarray = counts.air_VGSQ[..., [TAKEN_UP, FAILED, LEFT]].sum(axis=1)
    return installs_VS3
