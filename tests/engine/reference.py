"""The fleet event by event, as the design tells it: slow, plain, sharing no code with the compiled step."""

import heapq
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from engine.fleets import Case
from serving.batching_reference import batches

from fleet_sim.engine.counts import LATENCY_EDGES_US


class Packet(NamedTuple):
    camera: int
    frame: int
    level: int
    version: int
    payload_bytes: int
    millibits: int
    expiry_us: int


@dataclass
class Cell:
    queues: dict[int, deque[Packet]] = field(default_factory=lambda: defaultdict(deque))
    finish_tags: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    tag_now: int = 0
    sending: Packet | None = None
    exact_end_us: Fraction | None = None  # of the packet being sent; None when the uplink is idle


class Reference:
    """Runs a case to its end. `tally` counts by (cell, version, second, column)."""

    def __init__(self, case: Case):
        self.case, self.fleet = case, case.fleet
        self.tally: Counter[tuple[int, int, int, str]] = Counter()
        self.latency_bins: Counter[tuple[int, int]] = Counter()
        self.sent: list[tuple[int, int, int, int, int]] = []  # arrival, camera, frame, level, version
        self.open: set[tuple[int, int]] = set()
        self.cells = [Cell() for _ in range(self.fleet.cells)]
        self.agenda = [
            (case.capture_us(camera, frame) + self.fleet.encode_us, camera % self.fleet.cells, camera, frame)
            for camera in range(self.fleet.cameras)
            for frame in range(self.fleet.duration_us // self.fleet.frame_period_us + 1)
            if case.capture_us(camera, frame) < self.fleet.duration_us
        ]
        for _, cell, camera, frame in self.agenda:
            capture_us = case.capture_us(camera, frame)
            self.count(cell, self.version_at(capture_us), capture_us, offered=1)
            self.open.add((camera, frame))
        heapq.heapify(self.agenda)
        while self.agenda and self.agenda[0][0] < self.fleet.duration_us:
            now_us, number, camera, frame = heapq.heappop(self.agenda)
            sending = self.cells[number].sending
            if sending is not None and (sending.camera, sending.frame) == (camera, frame):
                self.transmission_ends(now_us, number, sending)
            else:
                self.frame_is_ready(now_us, number, camera, frame)
        for server in range(case.servers):
            self.serve(sorted(s for s in self.sent if s[1] % self.fleet.cells % case.servers == server))

    def count(self, cell: int, version: int, at_us: int, **amounts: int) -> None:
        for name, amount in amounts.items():
            self.tally[cell, version, at_us // 10**6, name] += amount

    def version_at(self, time_us: int) -> int:
        return bisect_right(self.case.version_from_us, time_us) - 1

    def wire_bits(self, packet: Packet) -> int:
        return 8 * (packet.payload_bytes + self.fleet.header_bytes)

    def frame_is_ready(self, now_us: int, number: int, camera: int, frame: int) -> None:
        fleet, case, cell = self.fleet, self.case, self.cells[number]
        capture_us = now_us - fleet.encode_us
        version = self.version_at(capture_us)
        backlog_bits = sum(self.wire_bits(packet) for packet in cell.queues[camera])
        sharers = len(range(number, fleet.cameras, fleet.cells))
        plan = Fraction(fleet.budget_bps * fleet.frame_period_us * fleet.headroom_ppm, sharers * 10**12)
        fitting = [
            k for k, bits in enumerate(case.expected_bits[version].tolist()) if bits + backlog_bits <= plan
        ]
        level = max(fitting, default=0) if fleet.fixed_level < 0 else fleet.fixed_level
        scene = case.scene(camera, frame)
        expiry_us = capture_us + fleet.deadline_us - fleet.propagation_us
        payload_bytes, millibits = (
            int(table_VLF[version, level, scene]) for table_VLF in (case.payload_bytes, case.millibits)
        )
        packet = Packet(camera, frame, level, version, payload_bytes, millibits, expiry_us)
        if backlog_bits + self.wire_bits(packet) > 8 * fleet.buffer_bytes:
            self.open.remove((camera, frame))
            self.count(number, version, now_us, dropped_buffer=1)
            return
        if not cell.queues[camera]:
            cell.finish_tags[camera] = max(cell.finish_tags[camera], cell.tag_now)
        cell.queues[camera].append(packet)
        if cell.sending is None:
            self.send_next(now_us, number)

    def send_next(self, now_us: int, number: int) -> None:
        cell = self.cells[number]
        while waiting := [camera for camera, queue in cell.queues.items() if queue]:
            tag, camera = min((cell.finish_tags[c] + self.wire_bits(cell.queues[c][0]), c) for c in waiting)
            packet = cell.queues[camera].popleft()
            begin_us = Fraction(now_us) if cell.exact_end_us is None else cell.exact_end_us
            end_us = begin_us + Fraction(self.wire_bits(packet) * 10**6, self.fleet.budget_bps)
            if ceil(end_us) <= packet.expiry_us:
                cell.sending, cell.exact_end_us = packet, end_us
                cell.tag_now = cell.finish_tags[camera] = tag
                heapq.heappush(self.agenda, (ceil(end_us), number, camera, packet.frame))
                return
            self.open.remove((camera, packet.frame))
            self.count(number, packet.version, now_us, dropped_deadline=1)
        cell.exact_end_us = None

    def transmission_ends(self, now_us: int, number: int, packet: Packet) -> None:
        self.count(
            number,
            packet.version,
            now_us,
            sent=1,
            level_sum=packet.level,
            payload_bits=8 * packet.payload_bytes,
            wire_bits=self.wire_bits(packet),
            ideal_millibits=packet.millibits,
        )
        arrive_us = now_us + self.fleet.propagation_us
        self.sent.append((arrive_us, packet.camera, packet.frame, packet.level, packet.version))
        self.cells[number].sending = None
        self.send_next(now_us, number)

    def serve(self, arrived: list[tuple[int, int, int, int, int]]) -> None:
        case, cells = self.case, self.fleet.cells
        arrived = sorted(arrived, key=lambda s: (s[0], s[1] % cells, s[1], s[2]))
        for sent, (start_us, done_us) in zip(
            arrived, batches([s[0] for s in arrived], *case.batching), strict=True
        ):
            _, camera, frame, level, version = sent
            if done_us >= self.fleet.duration_us:
                continue
            head = case.heads[bisect_right(case.head_from_us, start_us) - 1]
            latency_us = done_us - case.capture_us(camera, frame)
            on_time = int(latency_us <= self.fleet.deadline_us)
            right = int(case.right[version][head][level][case.scene(camera, frame)])
            self.open.remove((camera, frame))
            self.latency_bins[version, bisect_left(LATENCY_EDGES_US, latency_us)] += 1
            self.count(
                camera % cells,
                version,
                done_us,
                answered=1,
                right=right,
                right_on_time=right * on_time,
                on_time=on_time,
                latency_us_sum=latency_us,
            )
