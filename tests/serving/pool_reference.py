"""A pool of replicas told with objects and a heap of events: slow, plain, sharing no code with it."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from fleet_sim.basics.hashing import STREAM_ROUTE, draw

END, MEND, FAIL, SCALE, COME_UP, ARRIVE, TIMER = range(7)
"""The order of what happens in one microsecond; batches start after all of it."""


class Frame(NamedTuple):
    arrive_us: int
    expiry_us: int
    camera: int
    version: int
    priority: int


class Setting(NamedTuple):
    """As `serving.replicas.Rules`, in words."""

    seed: int
    end_us: int
    batch: int
    max_wait_us: int
    service_us: list[list[int]]  # by head, then frames
    heads: list[tuple[int, int]]  # (from when, head)
    replicas: int
    routing: str
    shed: str
    queue_limit: int | None
    autoscale: str
    least: int
    most: int
    target: int
    startup_us: int
    period_us: int
    resident: int | None
    load_us: int
    standby: bool
    failures: list[tuple[int, int, int]]  # (replica, from when, until when)


@dataclass
class Replica:
    number: int
    queue: list[tuple[int, Frame]] = field(default_factory=list)  # (since when, frame)
    batch: list[Frame] = field(default_factory=list)
    free_us: int = 0
    head: int = 0
    up_us: int | None = None
    failures: int = 0
    decoders: list[int] = field(default_factory=list)  # used longest ago first

    def up(self, now_us: int) -> bool:
        return not self.failures and self.up_us is not None and self.up_us <= now_us

    def ready(self, now_us: int) -> bool:
        return self.up(now_us) or bool(self.queue or self.batch)


class Pool:
    """Runs frames, given in order of arrival, to the end of the run."""

    def __init__(self, setting: Setting, frames: list[Frame]):
        self.s, self.fate = setting, dict[Frame, tuple[str, int, int]]()
        self.work: Counter[str] = Counter()
        self.replicas = [Replica(r) for r in range(setting.most)]
        self.wanted = setting.replicas
        for replica in self.replicas[: self.wanted]:
            replica.up_us = 0
        self.homeless: list[Frame] = []
        self.busy: list[tuple[int, int]] = []  # (start, end) of service, cut short where it failed
        self.numbers, self.heap = count(), list[tuple[int, int, int, object]]()
        for frame in frames:
            self.at(frame.arrive_us, ARRIVE, frame)
        for replica, from_us, to_us in sorted(setting.failures):
            self.at(from_us, FAIL, replica)
            self.at(to_us, MEND, replica)
        if setting.autoscale != "none":
            self.at(setting.period_us, SCALE, None)
        self.run()

    def at(self, time_us: int, kind: int, what: object) -> None:
        heapq.heappush(self.heap, (time_us, kind, next(self.numbers), what))

    def run(self) -> None:
        last_us = 0
        while self.heap and self.heap[0][0] < self.s.end_us:
            now_us = self.heap[0][0]
            self.work["ready_us"] += (now_us - last_us) * sum(r.ready(last_us) for r in self.replicas)
            last_us = now_us
            self.microsecond(now_us)
        self.work["ready_us"] += (self.s.end_us - last_us) * sum(r.ready(last_us) for r in self.replicas)
        self.work["busy_us"] = sum(min(end, self.s.end_us) - start for start, end in self.busy)

    def microsecond(self, now_us: int) -> None:
        rescued = False
        while self.heap and self.heap[0][0] == now_us:
            if self.heap[0][1] >= ARRIVE and not rescued:
                rescued = True
                self.rescue(now_us)
            _, kind, _, what = heapq.heappop(self.heap)
            if kind == END and self.replicas[what[0]].batch is what[1]:  # type: ignore[index]
                self.end(self.replicas[what[0]], now_us)  # type: ignore[index]
            elif kind == MEND:
                self.replicas[what].failures -= 1  # type: ignore[index]
            elif kind == FAIL:
                self.fail(self.replicas[what], now_us)  # type: ignore[index]
            elif kind == SCALE:
                self.scale(now_us)
            elif kind == ARRIVE:
                self.arrive(what, now_us)  # type: ignore[arg-type]
        self.rescue(now_us)
        for replica in self.replicas:
            if replica.queue and not replica.batch and self.due(replica, now_us):
                self.start(replica, now_us)

    def due(self, replica: Replica, now_us: int) -> bool:
        oldest_us = min(since_us for since_us, _ in replica.queue)
        return len(replica.queue) >= self.s.batch or now_us >= oldest_us + self.s.max_wait_us

    def route(self, camera: int, now_us: int) -> Replica | None:
        up = [r for r in self.replicas if r.up(now_us)]
        if not up:
            return None
        if self.s.routing == "hash":
            return max(up, key=lambda r: int(draw(self.s.seed, STREAM_ROUTE, camera, r.number)))
        return min(up, key=lambda r: (len(r.queue) + len(r.batch), r.number))

    def put(self, replica: Replica, frame: Frame, now_us: int) -> None:
        replica.queue.append((now_us, frame))
        self.at(now_us + self.s.max_wait_us, TIMER, None)

    def arrive(self, frame: Frame, now_us: int) -> None:
        replica = self.route(frame.camera, now_us)
        if replica is None:
            self.homeless.append(frame)
            return
        if self.s.shed == "predicted" and self.foretold(replica, frame, now_us) > frame.expiry_us:
            self.fate[frame] = ("shed", now_us, -1)
            return
        self.put(replica, frame, now_us)
        if self.s.queue_limit is not None and len(replica.queue) > self.s.queue_limit:
            # Of those of least importance the newest: of equal ones max() would take the first.
            worst = max(reversed(replica.queue), key=lambda waiting: waiting[1].priority)
            replica.queue.remove(worst)
            self.fate[worst[1]] = ("shed", now_us, -1)

    def foretold(self, replica: Replica, frame: Frame, now_us: int) -> int:
        times_us = self.s.service_us[self.head(now_us)]
        before = sum(other.priority <= frame.priority for _, other in replica.queue)
        full, rest = divmod(before, self.s.batch)
        return max(now_us, replica.free_us) + full * times_us[self.s.batch] + times_us[rest + 1]

    def head(self, now_us: int) -> int:
        waits_us = self.s.load_us if self.s.standby else 0
        later = [head for from_us, head in self.s.heads[1:] if from_us + waits_us <= now_us]
        return [self.s.heads[0][1], *later][-1]

    def start(self, replica: Replica, now_us: int) -> None:
        times_us = self.s.service_us[self.head(now_us)]
        in_turn = sorted(replica.queue, key=lambda waiting: waiting[1].priority)  # stable: oldest first
        done_us = now_us + times_us[min(len(in_turn), self.s.batch)]
        replica.batch, rest = [], []
        for since_us, frame in in_turn:
            if len(replica.batch) == self.s.batch:
                rest.append((since_us, frame))
            elif self.s.shed != "none" and frame.expiry_us < done_us:
                self.fate[frame] = ("shed", now_us, -1)
            else:
                replica.batch.append(frame)
        replica.queue = rest
        if not replica.batch:
            return
        loads, switched = 0, bool(replica.decoders) and replica.head != self.head(now_us)
        for frame in replica.batch if self.s.resident else []:
            decoder = frame.version * len(self.s.service_us) + self.head(now_us)
            if decoder in replica.decoders:
                replica.decoders.remove(decoder)
            else:
                loads += 1
            replica.decoders = [*replica.decoders, decoder][-(self.s.resident or 0) :]
        replica.head = self.head(now_us)
        if self.s.standby and switched:
            loads = 0
        replica.free_us = now_us + times_us[len(replica.batch)] + loads * self.s.load_us
        self.busy.append((now_us, replica.free_us))
        self.at(replica.free_us, END, (replica.number, replica.batch))
        self.work["batches"] += 1
        self.work["frames"] += len(replica.batch)
        self.work["wait_us"] += sum(now_us - frame.arrive_us for frame in replica.batch)

    def end(self, replica: Replica, now_us: int) -> None:
        for frame in replica.batch:
            self.fate[frame] = ("answered", now_us, replica.head)
        replica.batch = []

    def fail(self, replica: Replica, now_us: int) -> None:
        replica.failures += 1
        if replica.batch:
            place = next(i for i, (_, end) in enumerate(self.busy) if self.running(replica, i, end, now_us))
            self.busy[place] = (self.busy[place][0], now_us)
        self.work["redone"] += len(replica.batch)
        waiting = sorted(replica.queue, key=lambda waiting: waiting[1].priority)
        self.homeless += [*replica.batch, *(frame for _, frame in waiting)]
        replica.queue, replica.batch, replica.decoders, replica.free_us = [], [], [], now_us

    def running(self, replica: Replica, place: int, end_us: int, now_us: int) -> bool:
        """Whether this service is the replica's; others that end then are as good, since only sums count."""
        return end_us == replica.free_us and self.busy[place][0] <= now_us

    def rescue(self, now_us: int) -> None:
        for frame in list(self.homeless):
            replica = self.route(frame.camera, now_us)
            if replica is None:
                return
            self.homeless.remove(frame)
            self.put(replica, frame, now_us)

    def scale(self, now_us: int) -> None:
        s = self.s
        if s.autoscale == "utilisation":
            begun_us = now_us - s.period_us
            done_us = sum(max(0, min(end, now_us) - max(start, begun_us)) for start, end in self.busy)
            wanted = -(-done_us * 10**6 // (s.period_us * s.target))
        else:
            wanted = -(-(sum(len(r.queue) for r in self.replicas) + len(self.homeless)) // s.target)
        wanted = max(s.least, min(s.most, wanted))
        for replica in self.replicas[self.wanted : wanted]:
            if replica.queue or replica.batch:
                replica.up_us = now_us
            else:
                replica.up_us, replica.decoders = now_us + s.startup_us, []
                self.at(replica.up_us, COME_UP, None)
        if wanted < self.wanted:
            wanted = self.wanted - 1
            self.replicas[wanted].up_us = None
        self.wanted = wanted
        self.at(now_us + s.period_us, SCALE, None)
