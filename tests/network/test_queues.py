"""Cameras' queues in one pool, against a deque for each camera."""

from collections import deque

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fleet_sim.network import queues
from fleet_sim.network.queues import BUFFER, LATE, LOST, NONE, OUT, THROUGH
from fleet_sim.network.uplink import CAMERA

CAMERAS = 3
NUMBERS = st.integers(0, 2**31 - 1)
SMALL = st.integers(0, 127)


class Queues(RuleBasedStateMachine):
    """Messages come and go; the pool grows when it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = queues.new_pool(4)
        self.cameras = np.zeros(CAMERAS, CAMERA)
        self.cameras["first"] = self.cameras["last"] = NONE
        self.waiting: list[deque[tuple[int, ...]]] = [deque() for _ in range(CAMERAS)]
        self.finished: deque[tuple[int, ...]] = deque()
        self.bytes = [0] * CAMERAS

    @rule(
        camera=st.integers(0, CAMERAS - 1),
        content=st.tuples(NUMBERS, st.integers(0, 2**60), NUMBERS, NUMBERS, SMALL, SMALL),
        wire=st.integers(0, 1000),
    )
    def append(self, camera: int, content: tuple[int, ...], wire: int) -> None:
        if self.pool.ends[0]["free"] == NONE:
            self.pool = queues.grown(self.pool)
        queues.append(self.cameras[camera], self.pool, camera, *content, wire)
        self.waiting[camera].append((camera, *content))
        self.bytes[camera] += wire

    @rule(
        camera=st.integers(0, CAMERAS - 1),
        at=st.integers(0, 8),
        fate=st.sampled_from([THROUGH, BUFFER, LATE, LOST, OUT]),
    )
    def finish(self, camera: int, at: int, fate: int) -> None:
        queue = self.waiting[camera]
        if at < len(queue):
            before = self.places(camera)[at - 1] if at else NONE
            queues.finish_after(self.cameras[camera], self.pool, before, fate)
            self.finished.append((*queue[at], fate))
            del queue[at]

    @rule()
    def take(self) -> None:
        place = queues.take_finished(self.pool)
        if not self.finished:
            assert place == NONE
            return
        fate = self.pool.messages[place]["fate"]
        assert (*self.content(place), fate) == self.finished.popleft()

    @invariant()
    def every_queue_holds_its_messages_in_order(self) -> None:
        for camera in range(CAMERAS):
            assert [self.content(place) for place in self.places(camera)] == list(self.waiting[camera])
        assert self.cameras["length"].tolist() == [len(queue) for queue in self.waiting]
        assert self.cameras["waiting_bytes"].tolist() == self.bytes

    @invariant()
    def every_place_is_in_one_list(self) -> None:
        ends = self.pool.ends[0]
        places = self.chain(ends["free"]) + self.chain(ends["finished"])
        for camera in range(CAMERAS):
            places += self.places(camera)
        assert sorted(places) == list(range(len(self.pool.messages)))

    def content(self, place: int) -> tuple[int, ...]:
        fields = ("row", "frame", "capture_us", "bytes", "millibits", "level", "version")
        return tuple(int(self.pool.messages[place][field]) for field in fields)

    def places(self, camera: int) -> list[int]:
        return self.chain(self.cameras[camera]["first"])

    def chain(self, place: int) -> list[int]:
        chain = []
        while place != NONE:
            chain.append(int(place))
            place = self.pool.messages[place]["next"]
        return chain


TestQueues = Queues.TestCase
TestQueues.settings = settings(max_examples=40, stateful_step_count=60)


def test_a_pool_grows_without_touching_what_it_holds() -> None:
    pool = queues.new_pool(2)
    camera = np.zeros(1, CAMERA)[0]
    camera["first"] = camera["last"] = NONE
    for frame in range(500):
        if pool.ends[0]["free"] == NONE:
            pool = queues.grown(pool)
        queues.append(camera, pool, 0, frame, frame, 1, 0, 0, 0, 1)
    for frame in range(500):
        queues.finish_after(camera, pool, NONE, THROUGH)
        assert pool.messages[queues.take_finished(pool)]["frame"] == frame
    assert queues.take_finished(pool) == NONE
