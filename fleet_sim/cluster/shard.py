"""A camera shard: whole cells of cameras, simulated from one virtual time to the next."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.cluster.bank import Bank, BankPart, with_version
from fleet_sim.cluster.host import MemberLost
from fleet_sim.cluster.live import LiveCameras
from fleet_sim.cluster.member import Resident
from fleet_sim.engine.cameras import (
    Cameras,
    Messages,
    count_unfinished,
    new_cameras,
    ready_frames,
    step,
)
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet, cells_of_shard
from fleet_sim.engine.sent import Sent, room_for, take
from fleet_sim.network.uplink import Uplinks


@dataclass(frozen=True)
class Point:
    """What every member must know to begin a sweep point."""

    fleet: Fleet
    named_cells: tuple[int, ...]
    versions: int
    live: bool
    servers_of_member: tuple[int, ...]  # how many servers each server member hosts, in order

    @property
    def servers(self) -> int:
        """All of them."""
        return sum(self.servers_of_member)


@dataclass(frozen=True)
class Delivery:
    """Messages of one shard for the servers of one member; the bytes themselves only travel live."""

    by_server: list[Sent]
    messages: dict[tuple[int, int], bytes]  # (camera, frame) -> message


@dataclass
class _State:
    point: Point
    cell_C: np.ndarray
    cameras: Cameras
    uplinks: Uplinks
    counts: Counts
    coded: dict[tuple[int, int], list[bytes]]  # live: messages at every level of frames not yet sent


class CameraShard(Resident):
    """Cameras as rows of arrays. All it knows comes through these calls, so it can be rebuilt from them."""

    def __init__(self, shard: int, shards: int):
        self._shard, self._shards = shard, shards
        self.reset()

    def reset(self) -> None:
        """No versions, no cameras."""
        self._payload_bits: list[np.ndarray] = []
        self._bank: Bank | None = None
        self._live: LiveCameras | None = None
        self._state: _State | None = None

    def add_version(self, mean_payload_bits_L: np.ndarray, part: BankPart | None) -> None:
        """Take up an encoder version: what its controller expects, and its bank unless the run is live."""
        self._payload_bits.append(mean_payload_bits_L)
        if part is not None:
            self._bank = with_version(self._bank, part)

    def add_live(self, spec: Any, images_FHWC: np.ndarray, encoder: Any) -> None:
        """Take up a frozen encoder, to run it for every frame."""
        self._live = self._live or LiveCameras(spec, images_FHWC)
        self._live.add(encoder)

    def begin(self, point: Point) -> None:
        """Open a sweep point: cameras before their first frame."""
        cell_C = cells_of_shard(point.fleet.cells, self._shard, self._shards)
        cameras, uplinks = new_cameras(point.fleet, cell_C, point.named_cells, point.servers)
        counts = Counts.zero(point.versions, point.fleet.seconds, len(point.named_cells), point.fleet.cells)
        self._state = _State(point, cell_C, cameras, uplinks, counts, {})

    def step(self, until_us: int, version_from_us_V: np.ndarray, snapshot: bool) -> list[Any]:
        """Go on to `until_us`: [what was counted (V, C), the new state, a Delivery for each server member].

        The state is None where no `snapshot` is asked for.
        """
        state = self._here()
        fleet, counts = state.point.fleet, state.counts
        before_VC = counts.by_second_VSC.sum(axis=1)
        messages = self._messages(state, until_us, version_from_us_V)
        most = int(ready_frames(state.cameras, fleet, until_us).sum() + state.uplinks.length_R.sum())
        sent = room_for(most + len(state.cell_C))
        sent_from_S = np.zeros(state.point.servers + 1, np.int64)
        bits_C = np.zeros(len(state.cell_C), np.int64)
        step(
            state.cameras,
            state.uplinks,
            fleet,
            messages,
            version_from_us_V,
            until_us,
            counts.by_second_VSC,
            counts.cells_KSC,
            bits_C,
            sent,
            sent_from_S,
        )
        counts.wire_bits_by_cell[state.cell_C] += bits_C
        deliveries = self._deliver(state, sent, sent_from_S)
        return [counts.by_second_VSC.sum(axis=1) - before_VC, state if snapshot else None, *deliveries]

    def finish(self, version_from_us_V: np.ndarray) -> Counts:
        """Close the point at the end of its time: everything this shard counted."""
        state = self._here()
        counts = state.counts.copy()
        held = count_unfinished(
            state.cameras,
            state.uplinks,
            state.point.fleet,
            version_from_us_V,
            counts.by_second_VSC,
            counts.cells_KSC,
        )
        return replace(counts, in_flight=int(held))

    def restore(self, snapshot: _State) -> None:
        """Go back to a state that `step` returned (shared memory is read-only, so it is copied)."""
        self._state = _State(
            snapshot.point,
            snapshot.cell_C,
            Cameras(*(np.array(column) for column in snapshot.cameras)),
            Uplinks(*(np.array(column) for column in snapshot.uplinks)),
            snapshot.counts.copy(),
            dict(snapshot.coded),
        )

    def _here(self) -> _State:
        if self._state is None:
            raise MemberLost("no sweep point is open here")
        return self._state

    def _messages(self, state: _State, until_us: int, version_from_us_V: np.ndarray) -> Messages:
        headers_bits = 8 * state.point.fleet.header_bytes
        expected_bits_VL = np.stack(self._payload_bits) + headers_bits
        if not state.point.live:
            if self._bank is None:
                raise MemberLost("no bank is here")
            nothing = np.zeros(0, np.int64)
            return Messages(
                self._bank.payload_bytes_VLF,
                self._bank.ideal_millibits_VLF,
                expected_bits_VL,
                nothing,
                nothing,
            )
        if self._live is None:
            raise MemberLost("no encoder is here")
        return self._live.encode(
            state.cameras, state.point.fleet, expected_bits_VL, version_from_us_V, until_us, state.coded
        )

    def _deliver(self, state: _State, sent: Sent, sent_from_S: np.ndarray) -> list[Delivery]:
        by_server = [take(sent, slice(*ends)) for ends in pairwise(sent_from_S.tolist())]
        deliveries = []
        for hosted in state.point.servers_of_member:
            frames, by_server = by_server[:hosted], by_server[hosted:]
            deliveries.append(Delivery(frames, self._bytes(state, frames) if state.point.live else {}))
        if state.point.live:
            LiveCameras.forget(state.coded, state.cameras, state.uplinks)
        return deliveries

    @staticmethod
    def _bytes(state: _State, by_server: list[Sent]) -> dict[tuple[int, int], bytes]:
        return {
            (int(camera), int(frame)): state.coded.pop((int(camera), int(frame)))[level]
            for sent in by_server
            for camera, frame, level in zip(sent.camera, sent.frame, sent.level, strict=True)
        }
