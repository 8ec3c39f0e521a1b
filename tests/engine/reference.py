"""The fleet event by event, as the design tells it: slow, plain, sharing no code with the compiled step."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from math import log
from typing import NamedTuple

import numpy as np
from engine.fleets import Case
from engine.reference_link import Book, Camera, Message, Uplink
from serving.batching_reference import batches

from fleet_sim.basics import hashing as h
from fleet_sim.control.controller import BUILT_IN
from fleet_sim.control.observation import LEVELS, MIND, OBSERVATION, SKIP
from fleet_sim.engine.captures import BURSTS, POISSON
from fleet_sim.engine.counts import LATENCY_EDGES_US
from fleet_sim.engine.fleet import Fleet
from fleet_sim.network.link import AIRTIME, CONSTANT


class Frame(NamedTuple):
    camera: int
    frame: int
    level: int
    version: int
    payload_bytes: int
    millibits: int


def captures_us(fleet: Fleet, camera: int) -> Iterator[int]:
    """When a camera takes its frames, for ever."""
    seed, period_us = fleet.seed, period_us_of(fleet, camera)
    if fleet.capture == POISSON:
        now_us = 0
        for frame in count():
            uniform = ((int(h.draw(seed, h.STREAM_GAP, camera, frame)) >> 11) + 0.5) / 2**53
            now_us += max(1, int(-log(uniform) * period_us))
            yield now_us
    events = events_us(fleet, camera) if fleet.capture == BURSTS else []
    now_us = int(h.draw_below(seed, h.STREAM_PHASE, camera, 0, period_us)) - period_us
    while True:
        passing = any(at_us <= now_us < at_us + fleet.event_us for at_us in events)
        ahead_us = min((at_us for at_us in events if at_us > now_us), default=10**18)
        now_us = min(now_us + (fleet.burst_period_us if passing else period_us), ahead_us)
        yield now_us


def events_us(fleet: Fleet, camera: int) -> list[int]:
    """When events reach a camera until the run ends."""
    cell, slot_us = camera % fleet.cells, fleet.event_slot_us
    late_us = int(h.draw_below(fleet.seed, h.STREAM_SPREAD, camera, 0, fleet.spread_us))
    found = []
    for slot in range(fleet.duration_us // slot_us + 1):
        if int(h.draw(fleet.seed, h.STREAM_EVENT, cell, 2 * slot)) >> 32 < fleet.event_threshold:
            within_us = int(h.draw_below(fleet.seed, h.STREAM_EVENT, cell, 2 * slot + 1, slot_us))
            found.append(slot * slot_us + within_us + late_us)
    return found


def group_of(fleet: Fleet, camera: int) -> int:
    """Where a camera's turn on the circle lies among the groups' shares, added up."""
    turn = camera // fleet.cells * 0x9E3779B9 + camera % fleet.cells * 0x6A09E667
    return bisect_right(fleet.groups.upto_G.tolist(), turn % 2**32)


def period_us_of(fleet: Fleet, camera: int) -> int:
    if fleet.counted_groups:
        return int(fleet.groups.frame_period_us_G[group_of(fleet, camera)])
    return fleet.frame_period_us


def rate_ppm_of(fleet: Fleet, camera: int) -> int:
    return int(fleet.groups.rate_ppm_G[group_of(fleet, camera)]) if fleet.counted_groups else 10**6


def scene_of(fleet: Fleet, camera: int, frame: int, capture_us: int) -> int:
    """Which scene a camera sees: an image, in the look of its group's stage."""
    seed, views = fleet.seed, fleet.views
    if not len(views.from_us_T):
        return int(h.draw_below(seed, h.STREAM_SCENE, camera, frame, fleet.scenes))
    first, last = views.first_G1[group_of(fleet, camera) :][:2].tolist()
    stage = first + bisect_right(views.from_us_T[first:last].tolist(), capture_us) - 1
    changed_us, ramp_us = capture_us - int(views.from_us_T[stage]), int(views.ramp_us_T[stage])
    if changed_us < ramp_us and int(h.draw_below(seed, h.STREAM_RAMP, camera, frame, ramp_us)) >= changed_us:
        stage -= 1
    toss = int(h.draw(seed, h.STREAM_SCENE, camera, frame)) >> 32
    label = bisect_right(views.upto_TK[stage].tolist(), toss)
    images = views.order_F[views.first_K1[label] : views.first_K1[label + 1]].tolist()
    image = images[int(h.draw_below(seed, h.STREAM_VIEW, camera, frame, len(images)))]
    return int(views.look_T[stage]) * fleet.scenes + image


class Reference:
    """Runs a case to its end. `tally` counts by (camera, version, second, column)."""

    def __init__(self, case: Case):
        self.case, self.fleet = case, case.fleet
        self.tally: Counter[tuple[int, int, int, str]] = Counter()
        self.latency_bins: Counter[tuple[int, int]] = Counter()
        self.sent: list[tuple[int, ...]] = []  # arrival, capture, camera, frame, level, version
        self.open: set[tuple[int, int]] = set()
        self.numbers: dict[tuple[int, int], int] = {}  # (camera, capture time) -> frame
        fleet, link = self.fleet, self.fleet.link
        self.minds: dict[int, np.record] = {}
        patience_us = fleet.deadline_us - link.propagation_us
        book = Book(self.message, self.dropped, self.through, self.packet)
        for cell in range(fleet.cells):
            ready = []
            for camera in range(cell, fleet.cameras, fleet.cells):
                for frame, capture_us in enumerate(captures_us(fleet, camera)):
                    if capture_us >= fleet.duration_us:
                        break
                    self.open.add((camera, frame))
                    self.numbers[camera, capture_us] = frame
                    self.count(camera, self.version_at(capture_us), capture_us, offered=1)
                    ready.append((capture_us + fleet.encode_us, camera))
            rates = {camera: rate_ppm_of(fleet, camera) for _, camera in ready}
            self.uplink = Uplink(link, fleet.seed, cell, fleet.encode_us, patience_us, book, rates)
            self.uplink.run(ready, fleet.duration_us)
        for server in range(case.servers):
            self.serve([s for s in self.sent if s[2] % fleet.cells % case.servers == server])

    def count(self, camera: int, version: int, at_us: int, **amounts: int) -> None:
        for name, amount in amounts.items():
            self.tally[camera, version, at_us // 10**6, name] += amount

    def version_at(self, time_us: int) -> int:
        return bisect_right(self.case.version_from_us, time_us) - 1

    def message(self, camera: int, capture_us: int, waiting_bytes: int, c: Camera) -> Message | None:
        """Pick the level of a frame and code it; None where it is not sent."""
        fleet, case = self.fleet, self.case
        version, frame = self.version_at(capture_us), self.numbers[camera, capture_us]
        sharers = len(range(camera % fleet.cells, fleet.cameras, fleet.cells))
        share_bps = Fraction(fleet.link.budget_bps, sharers)
        if fleet.link.rest_ppm:
            share_bps = min(share_bps, Fraction(fleet.link.bps * 10**6 // (10**6 + fleet.link.rest_ppm)))
        plan = int(share_bps * fleet.frame_period_us * fleet.headroom_ppm / 10**12)
        plan = plan * period_us_of(fleet, camera) // fleet.frame_period_us
        plan = plan * rate_ppm_of(fleet, camera) // 10**6
        expected = case.expected_bits[version].tolist()
        fitting = [k for k, bits in enumerate(expected) if bits + 8 * waiting_bytes <= plan]
        level = max(fitting, default=0) if fleet.fixed_level < 0 else fleet.fixed_level
        scene = scene_of(fleet, camera, frame, capture_us)
        if fleet.observes:
            level = self.chosen(camera, capture_us, waiting_bytes, c, version, scene, plan)
        if level == SKIP:
            self.open.remove((camera, frame))
            now_us = capture_us + fleet.encode_us
            self.count(camera, version, now_us, dropped_skipped=1)
            return None
        payload_bytes, millibits = (
            int(table_VFL[version, scene, level]) for table_VFL in (case.payload_bytes, case.millibits)
        )
        size = payload_bytes + fleet.message_header_bytes + fleet.link.length_bytes
        return Message(capture_us, size, Frame(camera, frame, level, version, payload_bytes, millibits))

    def chosen(
        self, camera: int, capture_us: int, waiting_bytes: int, c: Camera, version: int, scene: int, plan: int
    ) -> int:
        """What the case's controller, as the plain Python that it is, says to what the camera knows."""
        fleet, case, link = self.fleet, self.case, self.fleet.link
        now_us = capture_us + fleet.encode_us
        levels = case.expected_bits.shape[1]
        sizes = case.payload_bytes[version, scene] + fleet.message_header_bytes + link.length_bytes
        whole = c.on_air.messages if c.on_air and c.on_air.through else 0
        padding = [0] * (LEVELS - levels)
        known = dict(
            now_us=now_us,
            left_us=fleet.deadline_us - link.propagation_us - fleet.encode_us,
            frame_period_us=period_us_of(fleet, camera),
            plan_bits=plan,
            alone_bits=self.alone_bits(camera),
            packet_bits=8 * link.mtu_bytes,
            rest=link.rest_ppm / 10**6,
            rest_us=max(0, c.not_before_us - now_us) if link.rest_ppm else 0,
            headroom=fleet.headroom_ppm / 10**6,
            levels=levels,
            expected_bits=case.expected_bits[version].tolist() + padding,
            expected_right=case.right_share[version].tolist() + padding,
            frame_bits=[8 * sum(self.uplink.pieces(int(size))) for size in sizes] + padding,
            frame_right=(case.frame_right[version, scene] / 10_000).tolist() + padding,
            waiting_bits=8 * waiting_bytes,
            waiting_frames=len(c.queue) - whole,
            air_bits=8 * c.on_air.bytes if c.on_air else 0,
            busy_us=now_us - c.since_us if c.queue else 0,
            sent_bits=sum(bits for bits, _ in c.measured),
            sent_us=sum(us for _, us in c.measured),
        )
        c.measured.clear()
        seen = np.zeros(1, OBSERVATION).view(np.recarray)[0]
        for name, value in known.items():
            seen[name] = value
        mind = self.minds.setdefault(camera, np.zeros(1, MIND).view(np.recarray)[0])
        return int(BUILT_IN[case.controller](seen, mind))

    def alone_bits(self, camera: int) -> int:
        """What a camera could send in a frame period were it alone, with headroom."""
        fleet, link = self.fleet, self.fleet.link
        bps = link.bps if link.capacity in (CONSTANT, AIRTIME) else link.budget_bps
        bits = bps * fleet.frame_period_us * fleet.headroom_ppm // 10**12
        bits = bits * period_us_of(fleet, camera) // fleet.frame_period_us
        return bits * rate_ppm_of(fleet, camera) // 10**6

    def dropped(self, message: Message, reason: str, at_us: int) -> None:
        f = message.about
        self.open.remove((f.camera, f.frame))
        self.count(f.camera, f.version, at_us, **{f"dropped_{reason}": 1})

    def packet(self, first: Message, bits: int, lost: bool, at_us: int) -> None:
        camera, version = first.about.camera, first.about.version
        self.count(camera, version, at_us, packets=1, packets_lost=int(lost), wire_bits=bits)

    def through(self, message: Message, at_us: int) -> None:
        link, f = self.fleet.link, message.about
        self.count(
            f.camera,
            f.version,
            at_us,
            sent=1,
            level_sum=f.level,
            payload_bits=8 * f.payload_bytes,
            ideal_millibits=f.millibits,
        )
        late_us = int(h.draw_below(self.fleet.seed, h.STREAM_JITTER, f.camera, f.frame, link.jitter_us + 1))
        arrive_us = at_us + link.propagation_us + late_us
        self.sent.append((arrive_us, message.capture_us, f.camera, f.frame, f.level, f.version))

    def serve(self, arrived: list[tuple[int, ...]]) -> None:
        case, cells = self.case, self.fleet.cells
        arrived = sorted(arrived, key=lambda s: (s[0], s[2] % cells, s[2], s[3]))
        for sent, (start_us, done_us) in zip(
            arrived, batches([s[0] for s in arrived], *case.batching), strict=True
        ):
            _, capture_us, camera, frame, level, version = sent
            if done_us >= self.fleet.duration_us:
                continue
            head = case.heads[bisect_right(case.head_from_us, start_us) - 1]
            latency_us = done_us - capture_us
            on_time = int(latency_us <= self.fleet.deadline_us)
            scene = scene_of(self.fleet, camera, frame, capture_us)
            right = int(case.right[version][head][level][scene])
            self.open.remove((camera, frame))
            self.latency_bins[version, bisect_left(LATENCY_EDGES_US, latency_us)] += 1
            self.count(
                camera,
                version,
                done_us,
                answered=1,
                right=right,
                right_on_time=right * on_time,
                on_time=on_time,
                latency_us_sum=latency_us,
            )
