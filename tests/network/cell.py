"""One cell driven by hand: cameras offer messages, time passes, messages come out."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from network.plain import HORIZON_US, PLAIN

from fleet_sim.network import packets, queues, turns, waiting
from fleet_sim.network.link import Link
from fleet_sim.network.queues import LATE, NONE, THROUGH
from fleet_sim.network.uplink import NEVER, idle_uplinks

SEED, ENCODE_US = 1, 0
PATIENCE_US = 10**12  # from capture to expiry


class Out(NamedTuple):
    """A message that is done with."""

    end_us: int
    camera: int
    frame: int
    bits: int  # with its headers, sent on its own
    fate: int


class Packet(NamedTuple):
    """What was on the air."""

    end_us: int
    camera: int
    bits: int
    lost: bool


class Cell:
    """An idle cell whose cameras take turns; `finished` and `packets` tell what came of all, in order."""

    def __init__(self, cameras: int, link: Link = PLAIN):
        self.link = link
        self.u, self.pool = idle_uplinks(
            link, SEED, np.zeros(1, np.int64), np.arange(cameras), np.array([cameras])
        )
        self.finished: list[Out] = []
        self.packets: list[Packet] = []

    @property
    def out(self) -> list[Out]:
        """Messages that got through, in order."""
        return [done for done in self.finished if done.fate == THROUGH]

    @property
    def expired(self) -> int:
        """Messages dropped for being late."""
        return sum(done.fate == LATE for done in self.finished)

    @property
    def end_us(self) -> int:
        """When the packet being sent is through."""
        return int(self.u.cells[0]["end_us"])

    def offer(
        self, now_us: int, camera: int, size: int, frame: int = 0, expiry_us: int | None = None
    ) -> bool:
        """Queue a message, and send it at once if the cell is idle; False if the queue is full."""
        self.advance(now_us)
        if self.pool.ends[0]["free"] == NONE:
            self.pool = queues.grown(self.pool)
        state, pool, link = self.u.cameras[camera], self.pool, self.link
        wire = packets.wire_bytes(link, size)
        fits = packets.make_room(state, self.u.air[0], pool, link, wire)
        if fits:
            capture_us = now_us if expiry_us is None else expiry_us - PATIENCE_US
            queues.append(state, pool, camera, frame, capture_us, size, 0, 0, 0, wire)
            self._line_up(camera, now_us, True)
            if self.end_us == NEVER:
                self._send_next(now_us, 0)
        self._collect(now_us)
        return bool(fits)

    def send_one(self) -> Out:
        """Go on to the end of the transmission under way (and of others that end with it)."""
        self.advance(self.end_us)
        return self.out[-1]

    def advance(self, until_us: int) -> None:
        """Take every end of a packet and of a wait up to `until_us`, that moment included."""
        while True:
            state = self.u.cells[0]
            end = (int(state["end_us"]), int(state["sender"]))
            wake = end
            if state["wakes"]:
                row = int(self.u.waiting["wake"][0])
                wake = (int(self.u.waiting["wake_us"][row]), row)
            now_us, row = min(end, wake)
            if now_us > until_us or now_us == NEVER:
                return
            if wake < end:
                waiting.take_wake(self.u, state)
                self._line_up(row, now_us, True)
                if state["end_us"] == NEVER:
                    self._send_next(now_us, 0)
            else:
                self._packet_ends(now_us, row)
            self._collect(now_us)

    def _packet_ends(self, now_us: int, row: int) -> None:
        spare = 0
        if row >= 0:
            spare = int(self.u.cells[0]["spare"])
            _, bits, lost = packets.land(self.u, self.pool, self.link, SEED, 0, row, now_us)
            self.packets.append(Packet(now_us, row, int(bits), bool(lost)))
            self._line_up(row, now_us, False)
        self._send_next(now_us, spare)

    def _line_up(self, row: int, now_us: int, had_nothing: bool) -> None:
        turns.line_up(self.u, self.pool, self.link, ENCODE_US, self.u.cells[0], row, now_us, had_nothing)

    def _send_next(self, now_us: int, spare: int) -> None:
        constants: Any = (self.link, SEED, ENCODE_US, PATIENCE_US, HORIZON_US)
        turns.send_next(self.u, self.pool, *constants, 0, now_us, spare)

    def _collect(self, now_us: int) -> None:
        while (place := queues.take_finished(self.pool)) != NONE:
            done = self.pool.messages[place]
            bits = 8 * int(packets.wire_bytes(self.link, int(done["bytes"])))
            self.finished.append(Out(now_us, int(done["row"]), int(done["frame"]), bits, int(done["fate"])))


def bits_by_camera(out: Iterable[Out], cameras: int) -> np.ndarray:
    """What each camera got through, (R,) int64."""
    bits_R = np.zeros(cameras, np.int64)
    for message in out:
        bits_R[message.camera] += message.bits
    return bits_R
