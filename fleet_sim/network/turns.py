"""Cells with one transmitter: the cameras take turns on it, packet by packet.

A camera that may send gets a key; the smallest key goes next, ties to the lower camera.

- FIFO: when its oldest message became ready.
- Round robin and max-min fair: self-clocked fair queueing (S. J. Golestani, "A self-clocked fair queueing
  scheme for broadband applications", INFOCOM 1994) with equal weights. A packet's tag is its cost added to
  the tag at which its camera's previous packet finished, or to the tag now being sent if that is greater and
  the camera had nothing waiting. Cost is the packet's bits for max-min, one for round robin. Over any busy
  time two waiting cameras differ by at most one packet each: a camera that wants less than an equal share
  gets it, and the rest share what is left.
- Proportional fair: no key; the greatest ratio of a camera's present rate to the bits it was served, halved
  at each multiple of `half_life_us` (after D. Tse's scheduler: Viswanath, Tse, Laroia, "Opportunistic
  beamforming using dumb antennas", 2002, with halving in the place of a moving average).

Under DROP_LATE a packet that could not be through by its expiry is dropped when its turn comes, and its
camera pays no tag for it; the link is asked, which knows how fast it will be. Under DROP_EXPIRED only one
that begins no sooner than that is. A camera whose oldest message gives way under DROP_HEAD keeps its turn.
"""

import numpy as np

from fleet_sim.basics.compiled import at, inlined
from fleet_sim.network import heap
from fleet_sim.network.capacity import end_of_work, tokens_at
from fleet_sim.network.link import (
    AIRTIME,
    DROP_EXPIRED,
    DROP_LATE,
    FIFO,
    MARKOV,
    MAX_MIN,
    PROPORTIONAL,
    TOKENS,
    WORK_A_BIT,
)
from fleet_sim.network.packets import drop_late, packet, put_on_air, rate_share_ppm
from fleet_sim.network.uplink import AIR, CUT, NEVER, PPM, TURN
from fleet_sim.network.waiting import must_wait_until, outage_after, set_wake


@inlined()
def _cost(link, size):
    return np.int64(8) * size if link.sharing == MAX_MIN else np.int64(1)


@inlined()
def line_up(u, pool, link, encode_us, cell, row, now_us, had_nothing):
    """Give a camera its turn if it has something to send and may, or let it wait until it may.

    had_nothing: nothing of the camera's was waiting for a turn before.
    """
    camera = u.cameras[row]
    if camera.flags & (TURN | AIR) or camera.length == 0:
        return
    if u.waiting.shape[0] > 0:
        from_us = must_wait_until(u, pool, link, encode_us, row)
        if from_us > now_us:
            set_wake(u, cell, row, from_us)
            return
    camera.flags |= TURN
    if link.sharing == PROPORTIONAL:
        u.cameras[cell.first_row + cell.turns].turn = row
    else:
        if link.sharing == FIFO:
            camera.turn_key = pool.messages[at(camera.first)].capture_us
        else:
            if had_nothing:
                camera.tag = max(camera.tag, cell.virtual)
            camera.turn_key = camera.tag + _cost(link, packet(camera, pool, link)[0])
        heap.push(u.cameras["turn"], cell.first_row, cell.turns, row, u.cameras["turn_key"])
    cell.turns += 1


@inlined()
def _served_bits(served, link, now_us):
    return served.bits >> min(now_us // link.half_life_us - served.as_of_us // link.half_life_us, 62)


@inlined()
def _best_place(u, link, seed, cell, now_us):
    best, best_row, best_rate, best_served = 0, 0, np.int64(0), np.int64(1)
    for place in range(cell.turns):
        row = u.cameras[cell.first_row + place].turn
        rate = np.int64(rate_share_ppm(u, link, seed, row, now_us))
        served = 1 + _served_bits(u.served[row], link, now_us)
        # The products may take more than 64 bits; as floats, equal ones stay equal.
        ahead = np.float64(rate) * np.float64(best_served)
        behind = np.float64(best_rate) * np.float64(served)
        if place == 0 or ahead > behind or (ahead == behind and row < best_row):
            best, best_row, best_rate, best_served = place, row, rate, served
    return best


@inlined()
def _leave_turns(u, link, cell, place):
    slot = u.cameras[at(cell.first_row + place)]
    u.cameras[at(slot.turn)].flags &= ~TURN
    if link.sharing == PROPORTIONAL:
        slot.turn = u.cameras[cell.first_row + cell.turns - 1].turn
    else:
        heap.drop_top(u.cameras["turn"], cell.first_row, cell.turns, u.cameras["turn_key"])
    cell.turns -= 1


@inlined()
def _wait(cell, until_us):
    cell.end_us = until_us
    cell.sender = -1


@inlined()
def send_next(u, pool, link, seed, encode_us, patience_us, horizon_us, place_C, now_us, spare):
    """Begin the next packet of a cell with nothing on the air, `spare` work of it being done already.

    patience_us: from capture to expiry. Where nothing may begin yet, the cell will try again at its end_us.
    """
    cell = u.cells[place_C]
    out_us, back_us = NEVER, NEVER
    if link.outage_to_us_O.shape[0] > 0:
        out_us, back_us = outage_after(link, now_us)
        if out_us <= now_us and cell.turns > 0:
            _wait(cell, back_us)
            return
    while cell.turns > 0:
        place = _best_place(u, link, seed, cell, now_us) if link.sharing == PROPORTIONAL else 0
        row = at(u.cameras[at(cell.first_row + place)].turn)
        camera = u.cameras[row]
        size, waiting, messages = packet(camera, pool, link)
        work = 8 * size * WORK_A_BIT
        begin_us, tokens = now_us, np.int64(0)
        if link.capacity == TOKENS:
            varying = u.varying[place_C]
            tokens = tokens_at(link, varying.tokens, varying.tokens_us, now_us)
            if tokens < work:
                begin_us += (work - tokens + link.token_bps - 1) // link.token_bps
        expiry_us = NEVER
        if link.queue == DROP_LATE or link.queue == DROP_EXPIRED:
            expiry_us = pool.messages[at(camera.first)].capture_us + patience_us
        slot, state, left = np.int64(0), np.int64(0), np.int64(0)
        if link.capacity == AIRTIME:
            end_us = begin_us + link.airtime_us_B[size]
        else:
            if link.capacity == MARKOV:
                slot, state = u.varying[place_C].slot, np.int64(u.varying[place_C].state)
            if link.fading_us > 0 or u.rate_ppm.shape[0] > 0:
                share = rate_share_ppm(u, link, seed, row, now_us)
                work = (8 * size * WORK_A_BIT * PPM + share - 1) // share
            done = spare if begin_us == now_us else np.int64(0)
            # Whether it is too late must be known even of an end after the run.
            far_us = max(horizon_us, expiry_us + 1) if link.queue == DROP_LATE else horizon_us
            end_us, left, slot, state = end_of_work(
                link, seed, cell.number, slot, state, begin_us, done, work, far_us
            )
        if begin_us >= expiry_us if link.queue == DROP_EXPIRED else end_us > expiry_us:
            _leave_turns(u, link, cell, place)
            drop_late(camera, pool, link)
            line_up(u, pool, link, encode_us, cell, row, now_us, False)
            continue
        if begin_us > now_us:
            _wait(cell, begin_us)
            return

        _leave_turns(u, link, cell, place)
        put_on_air(camera, u.air[place_C], now_us, size, waiting, messages)
        if out_us < end_us:
            end_us, left = out_us, np.int64(0)
            u.air[place_C].fate = CUT
        cell.end_us = end_us
        cell.sender = row
        cell.spare = left
        if link.capacity == MARKOV and u.air[place_C].fate != CUT:  # else of a slot that is yet to come
            u.varying[place_C].slot = slot
            u.varying[place_C].state = state
        elif link.capacity == TOKENS:
            u.varying[place_C].tokens = tokens - 8 * size * WORK_A_BIT
            u.varying[place_C].tokens_us = now_us
        if link.sharing == PROPORTIONAL:
            served = u.served[row]
            served.bits = _served_bits(served, link, now_us) + 8 * size
            served.as_of_us = now_us
        elif link.sharing != FIFO:
            camera.tag += _cost(link, size)
            cell.virtual = camera.tag
        return
    _wait(cell, NEVER)
