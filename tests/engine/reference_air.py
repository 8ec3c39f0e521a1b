"""A plain reference for encoders over the air: cell by cell, block by block, with all cameras ever had."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fleet_sim.basics.hashing import STREAM_BLOCK, STREAM_INSTALL, STREAM_ROLLOUT, draw, draw_below
from fleet_sim.engine.air import AIR_COLUMNS, BITS, BLOCKS, BLOCKS_LOST, FAILED, LEFT, RETURNED, TAKEN_UP
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.orders import Order

MILLION = 1_000_000
NEVER = 1 << 62


class Result(NamedTuple):
    versions: list[list[int]]  # of every camera at every probe
    air_VSQ: np.ndarray


def expected(fleet: Fleet, orders: Sequence[Order], probes_us: Sequence[int]) -> Result:
    """What the fleet has under these orders, and what was sent."""
    air_VSQ = np.zeros((4, fleet.seconds, len(AIR_COLUMNS)), np.int64)
    history = {camera: [(0, 0, False)] for camera in range(fleet.cameras)}  # (since, version, by a command)
    down = fleet.downlink

    def is_open(from_us: int, to_us: int) -> bool:
        outages = zip(down.outage_from_us_O, down.outage_to_us_O, strict=True)
        if any(from_us < end and to_us > begin for begin, end in outages):
            return False
        return (
            not down.every_us or (from_us - down.first_us) % down.every_us + to_us - from_us <= down.open_us
        )

    def next_open(from_us: int, takes_us: int) -> int:
        starts = [from_us, *(int(end) for end in down.outage_to_us_O if end > from_us)]
        if down.every_us:
            if takes_us > down.open_us:
                return NEVER
            first = (from_us - down.first_us) // down.every_us
            windows = range(first, first + 2 + 60 * MILLION // down.every_us)
            starts += [t for n in windows if (t := down.first_us + n * down.every_us) >= from_us]
        return min(t for t in sorted(starts) if is_open(t, t + takes_us))

    for cell in range(fleet.cells):
        blocks = dict.fromkeys(range(cell, fleet.cameras, fleet.cells), (None, 0))  # of what, how many
        tried = dict.fromkeys(blocks, 0)
        failed = dict.fromkeys(blocks, -1)
        busy = None  # (camera, since, bits)
        for number, order in enumerate(orders):
            end_us = orders[number + 1].from_us if number + 1 < len(orders) else fleet.duration_us
            wanted = (order.version, order.back)
            for past in (history[camera] for camera in blocks):
                if past[-1][0] > order.from_us and (order.back or past[-1][1] != order.version):
                    count_change(air_VSQ, fleet, past, -1)
                    past.pop()
            if busy is None or blocks[busy[0]][0] != wanted:
                busy = None
            waiting = list(blocks)
            idle_since_us = order.from_us
            while True:
                if busy is None:
                    wanting = [
                        camera
                        for camera in waiting
                        if wants(fleet, order, camera, history[camera][-1][1], failed[camera])
                    ]
                    if not wanting:
                        break
                    camera = wanting[0]
                    waiting = waiting[waiting.index(camera) + 1 :]
                    if blocks[camera][0] != wanted:
                        blocks[camera] = (wanted, 0)
                    busy = (camera, idle_since_us, 0)
                camera, since_us, sent_bits = busy
                arrived = blocks[camera][1]
                content_bytes = int(order.content_bytes_V[history[camera][-1][1]])
                content = min(down.block_bytes, content_bytes - arrived * down.block_bytes)
                bits = 8 * (content + down.header_bytes)

                def time_us(of_bits: int) -> int:
                    return -(-of_bits * MILLION // down.bps)

                begins_us, ends_us = since_us + time_us(sent_bits), since_us + time_us(sent_bits + bits)
                if not is_open(begins_us, ends_us):
                    begins_us = next_open(begins_us, ends_us - begins_us)
                    since_us, sent_bits = next_open(begins_us, time_us(bits)), 0
                    ends_us = since_us + time_us(bits)
                if ends_us >= end_us:
                    break
                lost = int(draw(fleet.seed, STREAM_BLOCK, camera, tried[camera])) >> 32 < down.lost
                tried[camera] += 1
                air_VSQ[order.version, ends_us // MILLION, [BITS, BLOCKS, BLOCKS_LOST]] += [bits, 1, lost]
                busy = (camera, since_us, sent_bits + bits)
                if lost:
                    continue
                blocks[camera] = (wanted, arrived + 1)
                if (arrived + 1) * down.block_bytes < content_bytes:
                    continue
                blocks[camera], busy, idle_since_us = (None, 0), None, ends_us
                past = history[camera]
                if order.back:
                    past.append((ends_us, past[-2][1], True))
                    count_change(air_VSQ, fleet, past, 1)
                    continue
                at_us = ends_us + fleet.install_us
                toss = draw_below(fleet.seed, STREAM_INSTALL, camera, order.version, MILLION)
                if toss < fleet.install_failure_ppm:
                    failed[camera] = order.version
                    if at_us < fleet.duration_us:
                        air_VSQ[order.version, at_us // MILLION, FAILED] += 1
                    continue
                past.append((at_us, order.version, False))
                count_change(air_VSQ, fleet, past, 1)
    at = [
        [[change for change in history[camera] if change[0] <= probe][-1][1] for probe in probes_us]
        for camera in range(fleet.cameras)
    ]
    return Result(at, air_VSQ)


def wants(fleet: Fleet, order: Order, camera: int, has: int, failed: int) -> bool:
    if order.back:
        return has == order.version
    toss = draw_below(fleet.seed, STREAM_ROLLOUT, camera, order.release, MILLION)
    return order.version not in (has, failed) and int(toss) < order.below_ppm


def count_change(air_VSQ: np.ndarray, fleet: Fleet, past: list[tuple[int, int, bool]], sign: int) -> None:
    """Of the last that a camera took up, in the place of the one before."""
    (_, before, _), (at_us, version, by_command) = past[-2:]
    if at_us < fleet.duration_us:
        air_VSQ[version, at_us // MILLION, TAKEN_UP] += sign
        air_VSQ[version, at_us // MILLION, RETURNED] += sign * by_command
        air_VSQ[before, at_us // MILLION, LEFT] += sign
