"""One cell driven by hand: cameras offer packets, time passes, packets come out."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from fleet_sim.network import uplink

HEADER_BYTES = 10


class Out(NamedTuple):
    end_us: int
    camera: int
    frame: int
    bits: int


class Cell:
    """An idle cell; `out` holds what was sent, in order."""

    def __init__(self, cameras: int, bps: int, buffer_bytes: int = 10**6, places: int = 64):
        self.bps, self.buffer_bytes = bps, buffer_bytes
        self.state = uplink.idle_uplinks(np.array([cameras]), places)
        self.out: list[Out] = []
        self.expired = 0

    @property
    def end_us(self) -> int:
        """When the packet being sent is through."""
        return int(self.state.end_us_C[0])

    def offer(
        self, now_us: int, camera: int, payload: int, frame: int = 0, expiry_us: int = uplink.NEVER
    ) -> bool:
        """Queue a packet, and send it at once if the cell is idle; False if the queue is full."""
        self.advance(now_us)
        packet = (frame, expiry_us, payload, 0, 0, 0)
        fits = uplink.enqueue(self.state, 0, camera, *packet, HEADER_BYTES, self.buffer_bytes)
        if fits and self.end_us == uplink.NEVER:
            self._start(now_us)
        return bool(fits)

    def send_one(self) -> Out:
        """Go on to the end of the transmission under way (and of others that end with it)."""
        self.advance(self.end_us)
        return self.out[-1]

    def advance(self, until_us: int) -> None:
        """End every transmission that ends by `until_us`."""
        state = self.state
        while self.end_us <= until_us:
            end_us, camera = self.end_us, int(state.sending_row_C[0])
            bits = 8 * (int(state.sending_payload_C[0]) + HEADER_BYTES)
            self.out.append(Out(end_us, camera, int(state.sending_frame_C[0]), bits))
            state.end_us_C[0] = uplink.NEVER
            self._start(end_us)

    def _start(self, now_us: int) -> None:
        while uplink.start_next(self.state, 0, now_us, self.bps, HEADER_BYTES)[0] == uplink.EXPIRED:
            self.expired += 1


def bits_by_camera(out: Iterable[Out], cameras: int) -> np.ndarray:
    """What each camera got through, (R,) int64."""
    bits_R = np.zeros(cameras, np.int64)
    for packet in out:
        bits_R[packet.camera] += packet.bits
    return bits_R
