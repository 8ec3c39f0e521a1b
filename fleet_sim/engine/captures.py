"""When cameras take frames: at a steady period, at random, or as events pass.

- periodic: every `frame_period_us`, from a phase drawn for each camera.
- Poisson: gaps drawn from the exponential distribution of that mean.
- bursts: every `frame_period_us` while nothing happens; while an event passes, every `burst_period_us`. In
  each slot of `event_slot_us` an event begins in a cell or not, at a moment drawn within the slot. It reaches
  each camera of the cell after a time drawn once for the camera, below `spread_us`, and passes it for
  `event_us`. A camera takes a frame the moment an event reaches it.
"""

import numpy as np

from fleet_sim.basics.compiled import inlined
from fleet_sim.basics.hashing import (
    STREAM_EVENT,
    STREAM_GAP,
    STREAM_PHASE,
    STREAM_SPREAD,
    draw,
    draw_below,
)
from fleet_sim.engine.groups import frame_period_of

PERIODIC, POISSON, BURSTS = range(3)


@inlined()
def in_rounds(fleet):
    """Do the cameras of a cell take their frames in the same order for ever?"""
    return fleet.capture == PERIODIC and fleet.groups.upto_G.shape[0] <= 1


@inlined()
def first_capture_us(fleet, camera):
    """When a camera takes frame 0."""
    if fleet.capture == POISSON:
        return _gap_us(fleet, camera, 0)
    period_us = frame_period_of(fleet, camera)
    phase_us = draw_below(fleet.seed, STREAM_PHASE, camera, 0, period_us)
    if fleet.capture == PERIODIC:
        return phase_us
    return _next_of_bursts(fleet, camera, phase_us - period_us)


@inlined()
def next_capture_us(fleet, camera, frame, capture_us):
    """When a camera takes frame `frame` + 1, having taken `frame` at `capture_us`."""
    if fleet.capture == PERIODIC:
        return capture_us + frame_period_of(fleet, camera)
    if fleet.capture == POISSON:
        return capture_us + _gap_us(fleet, camera, frame + 1)
    return _next_of_bursts(fleet, camera, capture_us)


@inlined()
def _gap_us(fleet, camera, frame):
    # The upper 53 bits, plus a half: uniform in (0, 1), never either end.
    bits = draw(fleet.seed, STREAM_GAP, camera, frame) >> np.uint64(11)
    uniform = (np.float64(bits) + 0.5) / 9007199254740992.0
    return max(np.int64(1), np.int64(-np.log(uniform) * frame_period_of(fleet, camera)))


@inlined()
def _begin_us(fleet, cell, slot):
    """When the event of this slot begins, -1 without one."""
    toss = np.int64(draw(fleet.seed, STREAM_EVENT, cell, 2 * slot) >> np.uint64(32))
    if toss >= fleet.event_threshold:
        return np.int64(-1)
    within_us = draw_below(fleet.seed, STREAM_EVENT, cell, 2 * slot + 1, fleet.event_slot_us)
    return slot * fleet.event_slot_us + within_us


@inlined()
def _next_of_bursts(fleet, camera, now_us):
    cell = camera % fleet.cells
    late_us = draw_below(fleet.seed, STREAM_SPREAD, camera, 0, fleet.spread_us)
    next_us = now_us + frame_period_of(fleet, camera)
    first = max(np.int64(0), now_us - late_us - fleet.event_us) // fleet.event_slot_us
    for slot in range(first, (next_us - late_us) // fleet.event_slot_us + 1):
        begin_us = _begin_us(fleet, cell, slot)
        if begin_us < 0:
            continue
        reaches_us = begin_us + late_us
        if reaches_us <= now_us < reaches_us + fleet.event_us:
            next_us = min(next_us, now_us + fleet.burst_period_us)
        elif now_us < reaches_us < next_us:
            next_us = reaches_us
    return next_us
