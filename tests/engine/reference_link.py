"""One cell's uplink event by event: slow, plain, sharing no code with the compiled step.

Events are taken from a heap in order of (time, camera, kind): a packet's end, the end of a camera's wait, a
frame that is ready. Camera -1 is the cell itself, waiting for tokens or for the end of an outage.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from fleet_sim.basics import hashing as h
from fleet_sim.network import link as n

ENDS, WAKES, READY = range(3)


class Message(NamedTuple):
    capture_us: int
    size: int  # bytes, without the headers of packets
    about: Any  # what else is known of it


@dataclass
class Camera:
    queue: deque[Message] = field(default_factory=deque)
    turn_key: int | None = None  # while it waits for its turn
    on_air: "Packet | None" = None
    fragment: int = 0
    tries: int = 0
    attempts: int = 0
    bad: bool = False
    not_before_us: int = 0
    tag: int = 0
    served_bits: int = 0
    served_us: int = 0
    since_us: int = 0  # since when it has been at what is now the head of its queue
    measured: list[tuple[int, int]] = field(default_factory=list)  # bits and time of packets since its choice


@dataclass
class Packet:
    bytes: int
    messages: int  # messages at the head of the queue that it carries, or of which it carries a fragment
    through: bool  # they are through with it
    since_us: int = 0
    end_us: int = 0
    channel: int = 0
    cut: bool = False
    collided: bool = False


def up(number: int, divisor: int) -> int:
    return -(-number // divisor)


class Uplink:
    """Runs one cell to `until_us`; `book` is told what becomes of messages and packets."""

    def __init__(
        self,
        link: n.Link,
        seed: int,
        cell: int,
        encode_us: int,
        patience_us: int,
        book: "Book",
        rate_ppm: dict[int, int],
    ):
        self.rate_ppm = rate_ppm
        self.link, self.seed, self.cell, self.book = link, seed, cell, book
        self.encode_us, self.patience_us = encode_us, patience_us
        self.cameras: dict[int, Camera] = {}
        self.agenda: list[tuple[int, int, int]] = []
        self.wait_us, self.sender, self.tag_now, self.beyond = 0, -1, 0, 0
        self.tokens, self.tokens_us = link.bucket_bits * n.WORK_A_BIT, 0

    def run(self, ready: list[tuple[int, int]], until_us: int) -> None:
        self.agenda = [(time_us, camera, READY) for time_us, camera in ready]
        self.cameras = {camera: Camera() for _, camera in ready}
        heapq.heapify(self.agenda)
        while self.agenda and self.agenda[0][0] < until_us:
            now_us, camera, kind = heapq.heappop(self.agenda)
            spare = self.packet_ends(now_us, camera) if kind == ENDS and camera >= 0 else 0
            if kind == READY:
                self.take(now_us, camera)
            if self.link.sharing == n.ALOHA:
                self.send_at_will(now_us, camera)
                continue
            if camera >= 0:
                self.line_up(now_us, camera, again=kind == ENDS)
            if self.sender < 0 and now_us >= self.wait_us:
                self.send_next(now_us, spare)

    # Queues and packets

    def pieces(self, size: int) -> list[int]:
        """What of a message goes into each of its packets, headers included."""
        room = self.link.mtu_bytes - self.link.header_bytes
        if size <= room:
            return [size + self.link.header_bytes]
        room -= self.link.fragment_bytes
        parts = [min(room, size - at) for at in range(0, size, room)]
        return [part + self.link.header_bytes + self.link.fragment_bytes for part in parts]

    def waiting(self, camera: int) -> list[tuple[int, int]]:
        """(place, bytes with headers) of each message, or its rest, that is not on the air."""
        c = self.cameras[camera]
        whole = c.on_air.messages if c.on_air and c.on_air.through else 0
        begun = c.fragment + (c.on_air is not None and not whole)
        rests = [sum(self.pieces(m.size)[begun if i == 0 else 0 :]) for i, m in enumerate(c.queue)]
        return list(enumerate(rests))[whole:]

    def take(self, now_us: int, camera: int) -> None:
        """A frame is ready: queue its message, if there is room."""
        c, room = self.cameras[camera], self.link.buffer_bytes
        if not c.queue:
            c.since_us = now_us
        waiting_bytes = sum(b for _, b in self.waiting(camera))
        message = self.book.message(camera, now_us - self.encode_us, waiting_bytes, c)
        if message is None:
            return None
        needs = sum(self.pieces(message.size))
        first = c.on_air.messages if c.on_air else 0  # of those that may give way
        staying = sum(b for i, b in self.waiting(camera) if i < first or self.link.queue != n.DROP_HEAD)
        if needs + staying > room:
            return self.book.dropped(message, "buffer", now_us)
        while needs + sum(b for _, b in self.waiting(camera)) > room:
            if first == 0:
                c.fragment = c.tries = 0
            self.book.dropped(c.queue[first], "buffer", now_us)
            del c.queue[first]
        return c.queue.append(message)

    def packet(self, c: Camera) -> Packet:
        pieces = self.pieces(c.queue[0].size)
        if len(pieces) > 1:
            return Packet(pieces[c.fragment], 1, c.fragment + 1 == len(pieces))
        sizes = [m.size for m in c.queue][: self.link.aggregate]
        fitting = [
            k
            for k in range(1, len(sizes) + 1)
            if self.link.header_bytes + sum(sizes[:k]) <= self.link.mtu_bytes
        ]
        return Packet(self.link.header_bytes + sum(sizes[: fitting[-1]]), fitting[-1], True)

    def may_send_us(self, c: Camera) -> int:
        filled_us = c.queue[0].capture_us + self.encode_us + self.link.aggregate_wait_us
        return max(c.not_before_us, filled_us if len(c.queue) < self.link.aggregate else 0)

    def too_late(self, c: Camera, begin_us: int, end_us: int, now_us: int) -> bool:
        """Whether the oldest message was dropped: could not be through, or not even begun, in time."""
        expiry_us = c.queue[0].capture_us + self.patience_us
        late = self.link.queue == n.DROP_LATE and end_us > expiry_us
        late |= self.link.queue == n.DROP_EXPIRED and begin_us >= expiry_us
        if late:
            c.fragment = c.tries = 0
            self.book.dropped(c.queue.popleft(), "deadline", now_us)
        return late

    def outage(self, now_us: int) -> tuple[int, int]:
        pairs = zip(self.link.outage_from_us_O.tolist(), self.link.outage_to_us_O.tolist(), strict=True)
        return next(((begin, end) for begin, end in pairs if end > now_us), (10**18, 10**18))

    def put_on_air(self, camera: int, packet: Packet, now_us: int, end_us: int) -> None:
        c, out_us = self.cameras[camera], self.outage(now_us)[0]
        packet.since_us, packet.end_us, packet.cut = now_us, min(end_us, out_us), out_us < end_us
        c.attempts += 1
        c.on_air = packet
        heapq.heappush(self.agenda, (packet.end_us, camera, ENDS))

    def packet_ends(self, now_us: int, camera: int) -> int:
        """Count a packet, keep or drop its messages; work that the link has done beyond it."""
        link, c = self.link, self.cameras[camera]
        packet = c.on_air
        assert packet is not None
        c.on_air, self.sender = None, -1
        lost = packet.cut or packet.collided or self.channel_loses(camera)
        self.book.packet(c.queue[0], 0 if packet.cut else 8 * packet.bytes, lost, now_us)
        c.measured.append((0 if packet.cut else 8 * packet.bytes, now_us - c.since_us))
        c.since_us = now_us
        wait_us = up((now_us - packet.since_us) * link.rest_ppm, 10**6)
        if not lost and not packet.through:
            c.fragment, c.tries = c.fragment + 1, 0
        elif lost and c.tries < link.retries:
            backoff_us = h.draw_below(self.seed, h.STREAM_BACKOFF, camera, c.attempts, link.backoff_us)
            c.tries, wait_us = c.tries + 1, max(wait_us, link.retry_wait_us + int(backoff_us))
        else:
            c.fragment = c.tries = 0
            for message in [c.queue.popleft() for _ in range(packet.messages)]:
                if lost:
                    self.book.dropped(message, "outage" if packet.cut else "loss", now_us)
                else:
                    self.book.through(message, now_us)
        c.not_before_us = now_us + wait_us
        return 0 if packet.cut else self.beyond

    def channel_loses(self, camera: int) -> bool:
        link, c = self.link, self.cameras[camera]
        bits = int(h.draw(self.seed, h.STREAM_LOSS, camera, c.attempts))
        toss, turn, was_bad = bits >> 32, bits % 2**32, c.bad
        c.bad = turn >= link.to_good if was_bad else turn < link.to_bad
        return toss < (link.loss_bad if was_bad else link.loss_good)

    # Taking turns

    def line_up(self, now_us: int, camera: int, again: bool) -> None:
        """Give a camera its turn; `again`: it goes on after a packet of its own."""
        c = self.cameras[camera]
        if c.turn_key is not None or c.on_air or not c.queue:
            return
        if self.may_send_us(c) > now_us:
            heapq.heappush(self.agenda, (self.may_send_us(c), camera, WAKES))
            return
        c.tag = c.tag if again else max(c.tag, self.tag_now)
        c.turn_key = (
            c.queue[0].capture_us if self.link.sharing == n.FIFO else c.tag + self.cost(self.packet(c))
        )

    def cost(self, packet: Packet) -> int:
        return 8 * packet.bytes if self.link.sharing == n.MAX_MIN else 1

    def served_bits(self, c: Camera, now_us: int) -> int:
        half_us = self.link.half_life_us
        return c.served_bits >> (now_us // half_us - c.served_us // half_us)

    def share_ppm(self, camera: int, now_us: int) -> int:
        link, share = self.link, 10**6
        if link.fading_us:
            block = now_us // link.fading_us
            draw = h.draw_below(self.seed, h.STREAM_FADING, camera, block, len(link.fading_ppm_S))
            share = int(link.fading_ppm_S[draw])
        return max(1, share * self.rate_ppm[camera] // 10**6)

    def turn(self, camera: int, now_us: int) -> tuple[Fraction | int, int]:
        c = self.cameras[camera]
        if self.link.sharing != n.PROPORTIONAL:
            return c.turn_key or 0, camera
        return -Fraction(self.share_ppm(camera, now_us), 1 + self.served_bits(c, now_us)), camera

    def send_next(self, now_us: int, spare: int) -> None:
        link, (out_us, back_us) = self.link, self.outage(now_us)
        while in_turn := [i for i, c in self.cameras.items() if c.turn_key is not None]:
            if out_us <= now_us:
                return self.try_again(back_us)
            camera = min(in_turn, key=lambda i: self.turn(i, now_us))
            c = self.cameras[camera]
            packet = self.packet(c)
            work, begin_us, tokens = 8 * packet.bytes * n.WORK_A_BIT, now_us, 0
            if link.capacity == n.TOKENS:
                earned = (now_us - self.tokens_us) * link.token_bps
                tokens = min(self.tokens + earned, link.bucket_bits * n.WORK_A_BIT)
                begin_us += max(0, up(work - tokens, link.token_bps))
            if link.capacity == n.AIRTIME:
                end_us, beyond = begin_us + int(link.airtime_us_B[packet.bytes]), 0
            else:
                needs = up(work * 10**6, self.share_ppm(camera, now_us))
                end_us, beyond = self.carried(begin_us, needs - (spare if begin_us == now_us else 0))
            if self.too_late(c, begin_us, end_us, now_us):
                c.turn_key = None
                self.line_up(now_us, camera, again=True)
            elif begin_us > now_us:
                return self.try_again(begin_us)
            else:
                c.served_bits, c.served_us = self.served_bits(c, now_us) + 8 * packet.bytes, now_us
                c.tag += self.cost(packet)
                self.tokens, self.tokens_us, self.tag_now = tokens - work, now_us, c.tag
                c.turn_key, self.sender, self.beyond = None, camera, beyond
                return self.put_on_air(camera, packet, now_us, end_us)
        return None

    def try_again(self, time_us: int) -> None:
        self.wait_us = time_us
        heapq.heappush(self.agenda, (time_us, -1, ENDS))

    def carried(self, begin_us: int, needs: int) -> tuple[int, int]:
        """(when so much work is done, what is done beyond it by then)."""
        at_us = begin_us
        for until_us, bps, burst in self.rates(begin_us) if needs > 0 else ():
            if bps and at_us + up(needs, bps) <= until_us:
                return at_us + up(needs, bps), up(needs, bps) * bps - needs
            needs -= bps * (until_us - at_us) + burst
            at_us = until_us
            if needs <= 0:
                break
        return at_us, -needs

    def rates(self, from_us: int) -> Iterator[tuple[int, int, int]]:
        """(until when, bit/s until then, work at once at that time) from `from_us` on."""
        link, lap_us, slot, state = self.link, 0, 0, 0
        if link.capacity not in (n.SEGMENTS, n.MARKOV):
            yield 10**18, link.bps, 0
        lap_us -= int(h.draw_below(self.seed, h.STREAM_CAPACITY, self.cell, 0, link.offset_us))
        while link.capacity == n.SEGMENTS:
            ends = [*link.at_us_S.tolist()[1:], link.lap_us]
            bursts = [*link.burst_work_S.tolist()[1:], int(link.burst_work_S[0])]
            for end_us, bps, burst in zip(ends, link.bps_S.tolist(), bursts, strict=True):
                if lap_us + end_us > from_us:
                    yield lap_us + end_us, bps, burst
            lap_us += link.lap_us
        while link.capacity == n.MARKOV:
            toss = int(h.draw(self.seed, h.STREAM_CAPACITY, self.cell, slot)) >> 32
            thresholds = (link.next_SS[state] if slot else link.first_S).tolist()
            state, slot = next(s for s, threshold in enumerate(thresholds) if toss < threshold), slot + 1
            if slot * link.slot_us > from_us:
                yield slot * link.slot_us, int(link.bps_S[state]), 0

    # ALOHA

    def send_at_will(self, now_us: int, camera: int) -> None:
        link, c = self.link, self.cameras[camera]
        while c.queue and c.on_air is None:
            from_us = max(now_us, self.may_send_us(c))
            out_us, back_us = self.outage(from_us)
            from_us = back_us if out_us <= from_us else from_us
            if from_us > now_us:
                return heapq.heappush(self.agenda, (from_us, camera, WAKES))
            packet = self.packet(c)
            air_us = up(8 * packet.bytes * n.WORK_A_BIT, link.bps)
            air_us = int(link.airtime_us_B[packet.bytes]) if link.capacity == n.AIRTIME else air_us
            if self.too_late(c, now_us, now_us + air_us, now_us):
                continue
            self.put_on_air(camera, packet, now_us, now_us + air_us)
            packet.channel = int(h.draw_below(self.seed, h.STREAM_CHANNEL, camera, c.attempts, link.channels))
            others = [o.on_air for i, o in self.cameras.items() if i != camera and o.on_air]
            for other in others:
                if other.channel == packet.channel and other.end_us > now_us:
                    other.collided = packet.collided = True
        return None


class Book(NamedTuple):
    """Whom the uplink asks for messages and tells of their ends."""

    message: Callable[
        [int, int, int, Camera], Message | None
    ]  # camera, capture time, bytes waiting, the rest
    dropped: Callable[[Message, str, int], None]
    through: Callable[[Message, int], None]
    packet: Callable[[Message, int, bool, int], None]  # first message, bits, lost, time
