"""Cell-wide allocation in virtual time: what base stations hear, work out and tell their cameras.

At each multiple of `period_us` a base station allocates anew (control.allocation) and sends all its cameras
one message; they heed it `told_after_us` later. It knows its cameras' groups, the hulls of the version in
force, and how many bits the frames that it received took, beside how many were expected of them: scenes
that take more than expected are charged for it.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import at, compiled, inlined
from fleet_sim.basics.hashing import STREAM_TURN, draw_below
from fleet_sim.control.allocation import EQUAL, Sharers, allocate
from fleet_sim.control.hull import level_within
from fleet_sim.engine.groups import FULL_PPM, group_of

TRUSTED_FRAMES = 20  # with so many heard, what was heard counts as much as what was calibrated

UNBEGUN = -1  # in place of what a camera has saved

TOLD = np.dtype(
    [
        ("plan_bits", "i8"),  # what each camera of the group plans with for a frame ...
        ("next_plan_bits", "i8"),  # ... and from `next_us` on
        ("next_us", "i8"),
        ("heard_bits", "i8"),  # of messages received, halved at each boundary ...
        ("expected_bits", "i8"),  # ... and what was expected of these
        ("cameras", "i8"),
    ]
)


class Allocation(NamedTuple):
    """How cells allocate; nothing is worked out under EQUAL."""

    kind: int
    floor_ppm: int
    period_us: int
    told_after_us: int  # from working out an allocation until cameras heed it; at most the period


EQUAL_PARTS = Allocation(EQUAL, 0, 1, 0)


@compiled()
def allocate_cells(told_CG, fleet, hulls, version, now_us):
    """Work out every cell's allocation at `now_us`, a boundary."""
    groups = told_CG.shape[1]
    period_us_G, importance_G = np.full(groups, fleet.frame_period_us), np.ones(groups, np.int64)
    rate_ppm_G = np.full(groups, FULL_PPM)
    for g in range(fleet.groups.upto_G.shape[0]):
        period_us_G[g] = fleet.groups.frame_period_us_G[g]
        importance_G[g] = fleet.groups.importance_G[g]
        rate_ppm_G[g] = fleet.groups.rate_ppm_G[g]
    air_bps = fleet.link.budget_bps * (fleet.headroom_ppm / FULL_PPM)
    air_G, plan_bits_G, cameras_G = np.empty(groups), np.empty(groups, np.int64), np.empty(groups, np.int64)
    for cell in range(told_CG.shape[0]):
        for g in range(groups):
            told = told_CG[cell, g]
            trusted_bits = TRUSTED_FRAMES * hulls.bits_VGL[version, g, -1]
            heard = (told.heard_bits + trusted_bits) / (told.expected_bits + trusted_bits)
            air_G[g] = heard * FULL_PPM / rate_ppm_G[g]
            told.heard_bits //= 2
            told.expected_bits //= 2
            cameras_G[g] = told.cameras
        sharers = Sharers(cameras_G, period_us_G, importance_G, air_G)
        floor = fleet.allocation.floor_ppm / FULL_PPM
        allocate(fleet.allocation.kind, hulls, version, sharers, air_bps, floor, plan_bits_G)
        for g in range(groups):
            _heed(told_CG[cell, g], now_us)
            told_CG[cell, g].next_plan_bits = plan_bits_G[g]
            told_CG[cell, g].next_us = now_us + fleet.allocation.told_after_us


@inlined()
def _heed(told, now_us):
    if told.next_us <= now_us:
        told.plan_bits = told.next_plan_bits


@inlined()
def told_bits(told_CG, fleet, cell, camera, now_us):
    """What a camera plans with for a frame that is ready now."""
    told = told_CG[cell, group_of(fleet, camera)]
    _heed(told, now_us)
    return told.plan_bits


@inlined()
def level_of(saved_bits_R, row, fleet, hulls, version, camera, plan_bits):
    """The level by which a camera keeps to what it was told; SKIP for none."""
    group = group_of(fleet, camera)
    if saved_bits_R[row] == UNBEGUN:  # with something in hand, so that cameras do not send in step
        saved_bits_R[row] = draw_below(fleet.seed, STREAM_TURN, camera, 0, hulls.bits_VGL[version, group, 0])
    level, saved_bits_R[row] = level_within(hulls, version, group, plan_bits, saved_bits_R[row])
    return level


@inlined()
def hear(told_CG, fleet, hulls, cell, camera, version, level, bits):
    """A message of so many bits, headers included, came through."""
    group = group_of(fleet, camera)
    told = told_CG[cell, group]
    told.heard_bits += bits
    told.expected_bits += hulls.bits_VGL[at(version), at(group), at(level)]
