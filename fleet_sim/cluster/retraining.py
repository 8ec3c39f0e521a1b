"""Heads retrained in one sweep point: when each is due, what it learns from, and how servers take it up."""

from collections.abc import Callable, Sequence

import numpy as np

from fleet_sim.cluster.host import Host
from fleet_sim.cluster.member import Member
from fleet_sim.codec.received import Received, newest
from fleet_sim.engine.lessons import Lesson
from fleet_sim.registry.lessons import Retrained
from fleet_sim.scenario import Scenario
from fleet_sim.scenario.heads import RetrainSpec
from fleet_sim.serving.alarm import first_alarms
from fleet_sim.serving.alarm_spec import BitsAlarmSpec

MILLION = 1_000_000


Fit = Callable[[int, int, Received], str]
"""(place in train.retrain, place of an encoder, what to learn from) -> id of the head published for it."""
TakeUp = Callable[[int, int, str], None]
"""(place of the encoder, place among all heads, id): have servers host it."""


def lessons_of(point: Scenario) -> tuple[Lesson, ...]:
    """What servers keep for each head to be retrained."""
    return tuple(
        Lesson(spec.frames, round(spec.labelled * MILLION), round(spec.wrong * MILLION), spec.delay_us)
        for spec in point.train.retrain
    )


class Retraining:
    """Told at boundaries that servers have answered all until then, it makes the heads that are due.

    All it goes by is what servers have counted and kept at that time, which does not depend on how work is
    divided.
    """

    def __init__(self, point: Scenario, host: Host, servers: Sequence[Member], fit: Fit, take_up: TakeUp):
        self._point, self._host, self._servers = point, host, servers
        self._fit, self._take_up = fit, take_up
        self._waiting = dict(enumerate(point.train.retrain))
        self._alarm_us: int | None = None
        self.done: list[Retrained] = []

    def next_us(self, now_us: int) -> int | None:
        """The boundary after `now_us` at which it has to be told; None: never again."""
        times = [self._due_us(spec) for spec in self._waiting.values()]
        if self._listens():
            times.append(self._window_over_us(now_us))
        return min((time for time in times if time is not None and time > now_us), default=None)

    def learn(self, now_us: int, encoders: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Retrain what is due at this boundary for each of these encoders; (place, encoders) of new heads.

        Where there is too little to learn from, no head is made; `done` says so.
        """
        if self._listens() and now_us == self._window_over_us(now_us - 1):
            self._listen(now_us)
        due = [place for place, spec in self._waiting.items() if self._due_us(spec) == now_us]
        first = len(self._point.train.heads)
        made = [(first + place, self._retrain(place, encoders, now_us)) for place in due]
        return [(head, made_for) for head, made_for in made if made_for]

    def _due_us(self, spec: RetrainSpec) -> int | None:
        at_us = spec.at_us
        if spec.after_alarm_us is not None and self._alarm_us is not None:
            at_us = self._alarm_us + spec.after_alarm_us
        return None if at_us is None else self._point.control.boundary_us(at_us)

    def _retrain(self, place: int, encoders: Sequence[int], now_us: int) -> list[int]:
        """The encoders that a head was made for."""
        spec, head = self._waiting.pop(place), len(self._point.train.heads) + place
        alarm_us, made_for = self._alarm_us if spec.at_us is None else None, list[int]()
        for encoder in encoders:
            asked = [server.ask("received", place, encoder, now_us) for server in self._servers]
            parts = [self._host.get(pending.wait()[0]) for pending in asked]
            received = newest(parts, spec.frames)
            version = self._fit(place, encoder, received) if received.suffices else None
            frames, of = len(received.label_M), encoder if self._point.train.updates else None
            self.done.append(
                Retrained(spec.head.name, version, now_us, frames, received.classes, alarm_us, of)
            )
            if version is not None:
                self._take_up(encoder, head, version)
                made_for.append(encoder)
        return made_for

    def _listens(self) -> bool:
        return self._alarm_us is None and any(spec.at_us is None for spec in self._waiting.values())

    def _window_over_us(self, now_us: int) -> int | None:
        """The first boundary after `now_us` at which a window of the alarm that it did not know is over."""
        alarm, boundary_us = self._point.serving.alarm, self._point.control.boundary_us
        if not isinstance(alarm, BitsAlarmSpec):
            return None
        over_us = now_us // alarm.window_us * alarm.window_us
        while boundary_us(over_us) <= now_us:
            over_us += alarm.window_us
        return boundary_us(over_us)

    def _listen(self, now_us: int) -> None:
        """Notice the first alarm of any group, by what servers have counted by now."""
        alarm = self._point.serving.alarm
        if not isinstance(alarm, BitsAlarmSpec):
            return
        asked = [server.ask("watched") for server in self._servers]
        watched_GWQ = np.sum([self._host.get(pending.wait()[0]) for pending in asked], axis=0)
        over = now_us // alarm.window_us
        for watched_WQ in watched_GWQ:
            if any(window is not None for window in first_alarms(watched_WQ[:over], alarm).values()):
                self._alarm_us = now_us
