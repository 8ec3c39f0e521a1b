"""When a packet is through: what a cell's link carries over time, exact to the microsecond.

A packet begins where the one before it really ended, not at the microsecond to which that end was rounded up:
what the link could still have done within that microsecond (or with the rest of a trace's opportunity) is
*spare* work for the next, if that begins at once. So rounding does not pile up over a busy time.

An opportunity of a trace carries what began before it; one that nobody uses is lost.
"""

import numpy as np

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.basics.hashing import STREAM_CAPACITY, draw, draw_below
from fleet_sim.network.link import CONSTANT, MARKOV, SEGMENTS, TOKENS, WORK_A_BIT, Link


@inlined()
def end_of_work(link, seed, number, slot, state, begin_us, spare, work, horizon_us):
    """(end_us, spare, slot, state) of `work` begun at `begin_us` with `spare` work already done.

    number: of the cell among all cells. slot, state: of a Markov link, as of an earlier moment. An end at or
    after `horizon_us` may be any such time.
    """
    need = work - spare
    if need <= 0:
        return begin_us, -need, slot, state
    if link.capacity == CONSTANT or link.capacity == TOKENS:
        took_us = (need + link.bps - 1) // link.bps
        return begin_us + took_us, took_us * link.bps - need, slot, state
    if link.capacity == SEGMENTS:
        end_us, spare = _through_segments(link, seed, number, begin_us, need, horizon_us)
        return end_us, spare, slot, state
    if link.capacity == MARKOV:
        return _through_slots(link, seed, number, slot, state, begin_us, need, horizon_us)
    raise ValueError("a link of air times has no rate")


@inlined()
def _within(rate, begin_us, until_us, need):
    """(end_us, spare) at a constant rate if that is by `until_us`, else (-1, what is left)."""
    if rate > 0:
        took_us = (need + rate - 1) // rate
        if begin_us + took_us <= until_us:
            return begin_us + took_us, took_us * rate - need
        need -= rate * (until_us - begin_us)
    return np.int64(-1), need


@inlined()
def lap_offset_us(link, seed, number):
    """Where in the lap of its trace a cell begins."""
    return draw_below(seed, STREAM_CAPACITY, number, 0, link.offset_us)


@inlined()
def _through_segments(link, seed, number, begin_us, need, horizon_us):
    shifted_us = begin_us + lap_offset_us(link, seed, number)
    lap_us = shifted_us // link.lap_us * link.lap_us
    place = np.searchsorted(link.at_us_S, shifted_us - lap_us, side="right") - 1
    lap_us += begin_us - shifted_us  # in virtual time
    now_us = begin_us
    while now_us < horizon_us:
        rate = link.bps_S[place]
        place += 1
        if place == link.at_us_S.shape[0]:
            place = 0
            lap_us += link.lap_us
        next_us = lap_us + link.at_us_S[place]
        end_us, left = _within(rate, now_us, next_us, need)
        if end_us >= 0:
            return end_us, left
        need = left - link.burst_work_S[place]
        now_us = next_us
        if need <= 0:
            return now_us, -need
    return now_us, np.int64(0)


@inlined()
def _next_state(link, seed, number, slot, thresholds_S):
    toss = np.int64(draw(seed, STREAM_CAPACITY, number, slot) >> np.uint64(32))
    state = 0
    while toss >= thresholds_S[state]:
        state += 1
    return state


@bare()
def first_state(link, seed, number):
    """State of a Markov link in slot 0."""
    return _next_state(link, seed, number, 0, link.first_S)


@inlined()
def _through_slots(link, seed, number, slot, state, begin_us, need, horizon_us):
    while (slot + 1) * link.slot_us <= begin_us:
        slot += 1
        state = _next_state(link, seed, number, slot, link.next_SS[state])
    now_us = begin_us
    while now_us < horizon_us:
        next_us = (slot + 1) * link.slot_us
        end_us, left = _within(link.bps_S[state], now_us, next_us, need)
        if end_us >= 0:
            return end_us, left, slot, state
        need, now_us = left, next_us
        slot += 1
        state = _next_state(link, seed, number, slot, link.next_SS[state])
    return now_us, np.int64(0), slot, state


@inlined()
def tokens_at(link, tokens, since_us, now_us):
    """Work that a token bucket holds at `now_us`, given what it held at `since_us`."""
    room = link.bucket_bits * WORK_A_BIT - tokens
    if now_us - since_us > room // link.token_bps:  # full by now; keeps the product small
        return link.bucket_bits * WORK_A_BIT
    return tokens + (now_us - since_us) * link.token_bps


@inlined()
def _carried(rate, span_us, bits, work):
    """(bits, work that is less than a bit) with `span_us` at a rate on top, however long that is."""
    work += rate * (span_us % WORK_A_BIT)
    return bits + rate * (span_us // WORK_A_BIT) + work // WORK_A_BIT, work % WORK_A_BIT


@inlined()
def _since_lap_began(link, time_us, bursts):
    """(bits, work) that segments carry from a lap's start to `time_us`: by rates, or before it by bursts."""
    laps, rest_us = time_us // link.lap_us, time_us % link.lap_us
    lap_bits, lap_work, bits, work = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for place in range(link.at_us_S.shape[0]):
        begin_us = link.at_us_S[place]
        last = place + 1 == link.at_us_S.shape[0]
        end_us = link.lap_us if last else link.at_us_S[place + 1]
        rate, span_us, rest_span_us = link.bps_S[place], end_us - begin_us, min(end_us, rest_us) - begin_us
        if bursts:
            rate, span_us, rest_span_us = link.burst_work_S[place], np.int64(1), rest_us - begin_us
            rest_span_us = min(rest_span_us, np.int64(1))
        lap_bits, lap_work = _carried(rate, span_us, lap_bits, lap_work)
        bits, work = _carried(rate, max(rest_span_us, np.int64(0)), bits, work)
    return laps * lap_bits + bits, laps * lap_work + work


@bare()
def cell_bits(link, seed, number, duration_us):
    """Whole bits that the link of a cell could have carried from 0 to `duration_us`."""
    if link.capacity == MARKOV:
        work, state = np.int64(0), first_state(link, seed, number)
        bits = np.int64(0)
        for slot in range((duration_us + link.slot_us - 1) // link.slot_us):
            if slot > 0:
                state = _next_state(link, seed, number, slot, link.next_SS[state])
            span_us = min((slot + 1) * link.slot_us, duration_us) - slot * link.slot_us
            bits, work = _carried(link.bps_S[state], span_us, bits, work)
        return bits
    if link.capacity == SEGMENTS:
        begin_us = lap_offset_us(link, seed, number)
        bits, work = np.int64(0), np.int64(0)
        # An opportunity at 0 comes before anything can have begun.
        for bursts, from_us in ((False, begin_us), (True, begin_us + 1)):
            until = _since_lap_began(link, max(begin_us + duration_us, from_us), bursts)
            before = _since_lap_began(link, from_us, bursts)
            bits += until[0] - before[0]
            work += until[1] - before[1]
        return bits + work // WORK_A_BIT
    rate = link.budget_bps
    whole_s, rest_us = duration_us // 1_000_000, duration_us % 1_000_000
    bits = whole_s * rate + rest_us * rate // 1_000_000
    return bits + (link.bucket_bits if link.capacity == TOKENS else 0)


@bare()
def _fill_cell_bits(link, seed, duration_us, bits_C):
    for number in range(bits_C.shape[0]):
        bits_C[number] = cell_bits(link, seed, number, duration_us)


def capacity_bits(link: Link, seed: int, cells: int, duration_us: int) -> int:
    """Whole bits that the links of `cells` cells could have carried from 0 to `duration_us`."""
    alike = link.capacity != MARKOV and link.offset_us == 1
    bits_C = np.empty(1 if alike else cells, np.int64)
    _fill_cell_bits(link, seed, duration_us, bits_C)
    # In two halves, since the sum over many cells may pass 64 bits.
    total = (int((bits_C >> 32).sum()) << 32) + int((bits_C & 0xFFFFFFFF).sum())
    return total * cells if alike else total
