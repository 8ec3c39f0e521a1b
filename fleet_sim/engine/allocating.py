"""Cell-wide allocation in virtual time: what base stations hear and tell, and how cameras keep to it.

At each multiple of `period_us` a base station allocates anew (control.allocation) and sends all its cameras
one message; they heed it `told_after_us` later. It knows the group and the version of each camera, the hulls
of both, and how many bits the frames that it received took, beside how many were expected of them: where
messages take more than expected, a plan buys fewer of them.

What cameras are told is bits on air. Each keeps an account: its plan is paid in with every frame, and what
its packets take on air is paid out, so that in the mean it has on air what it was told, whatever its own
frames take.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import at, compiled, inlined
from fleet_sim.basics.hashing import STREAM_TURN, draw_below
from fleet_sim.control.allocation import EQUAL, Sharers, allocate
from fleet_sim.control.hull import MILLI, level_within
from fleet_sim.engine.groups import FULL_PPM, group_of
from fleet_sim.engine.installs import version_of

TRUSTED_FRAMES = 20  # with so many heard, what was heard counts as much as what was calibrated
MOST_FRAMES = 2  # what an account holds at most, in messages at the top of the hull

UNBEGUN = -(2**63)  # in place of an account

TOLD = np.dtype(
    [
        ("air_millibits", "i8"),  # what a frame of each camera of the kind may have on air in the mean ...
        ("plan_millibits", "i8"),  # ... and for which expected bits that is meant
        ("next_air_millibits", "i8"),  # the same from `next_us` on
        ("next_plan_millibits", "i8"),
        ("next_us", "i8"),
        ("heard_bits", "i8"),  # of messages received, halved at each boundary ...
        ("expected_bits", "i8"),  # ... and what was expected of these
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
def allocate_cells(cameras, u, fleet, hulls, version_from_us_V, now_us):
    """Work out every cell's allocation at `now_us`, a boundary."""
    versions, groups = hulls.corners_VG.shape
    kinds = versions * groups
    sharers = Sharers(
        np.zeros(kinds, np.int64),
        np.full(kinds, fleet.frame_period_us),
        np.ones(kinds, np.int64),
        np.empty(kinds),
        hulls.corners_VG.reshape(-1),
        hulls.bits_VGH.reshape((kinds, -1)),
        hulls.right_VGH.reshape((kinds, -1)),
    )
    rate_ppm_S = np.full(kinds, FULL_PPM)
    for s in range(kinds if fleet.groups.upto_G.shape[0] > 0 else 0):
        sharers.frame_period_us_S[s] = fleet.groups.frame_period_us_G[s % groups]
        sharers.importance_S[s] = fleet.groups.importance_G[s % groups]
        rate_ppm_S[s] = fleet.groups.rate_ppm_G[s % groups]
    air_bps = fleet.link.budget_bps * (fleet.headroom_ppm / FULL_PPM)
    floor = fleet.allocation.floor_ppm / FULL_PPM
    heard_S, bits_S = np.empty(kinds), np.empty(kinds)
    for cell in range(cameras.told_CS.shape[0]):
        sharers.cameras_S[:] = 0
        first_row = u.cells[cell].first_row
        for row in range(first_row, first_row + u.cells[cell].rows):
            version = version_of(cameras, version_from_us_V, row, now_us)
            sharers.cameras_S[version * groups + group_of(fleet, u.cameras[row].camera)] += 1
        for s in range(kinds):
            told = cameras.told_CS[cell, s]
            trusted_bits = TRUSTED_FRAMES * hulls.bits_VGL[s // groups, s % groups, -1]
            heard_S[s] = (told.heard_bits + trusted_bits) / (told.expected_bits + trusted_bits)
            sharers.air_S[s] = heard_S[s] * FULL_PPM / rate_ppm_S[s]
            told.heard_bits //= 2
            told.expected_bits //= 2
        allocate(fleet.allocation.kind, sharers, air_bps, floor, bits_S)
        for s in range(kinds):
            told = cameras.told_CS[cell, s]
            _heed(told, now_us)
            told.next_air_millibits = np.int64(np.ceil(MILLI * heard_S[s] * bits_S[s]))
            told.next_plan_millibits = np.int64(MILLI * bits_S[s])
            told.next_us = now_us + fleet.allocation.told_after_us


@inlined()
def _heed(told, now_us):
    if told.next_us <= now_us:
        told.air_millibits = told.next_air_millibits
        told.plan_millibits = told.next_plan_millibits


@inlined()
def _kind_of(fleet, version, camera):
    return version * max(fleet.groups.upto_G.shape[0], 1) + group_of(fleet, camera)


@inlined()
def told_millibits(cameras, fleet, version_from_us_V, cell, row, camera, now_us):
    """(bits on air, expected bits) for a frame that is ready now.

    They are for the kind that the camera was of when they were worked out, less than two periods ago: it has
    taken up two versions since then at most, and remembers three.
    """
    next_us, allocation = cameras.told_CS[cell, 0].next_us, fleet.allocation
    worked_out_us = next_us - allocation.told_after_us
    if next_us > now_us:
        worked_out_us -= allocation.period_us
    version = version_of(cameras, version_from_us_V, row, worked_out_us)
    told = cameras.told_CS[cell, _kind_of(fleet, version, camera)]
    _heed(told, now_us)
    return told.air_millibits, told.plan_millibits


@inlined()
def level_of(account_R, row, fleet, hulls, version, camera, told, queued_bits):
    """The level by which a camera keeps to what it was told, SKIP for none; not yet paid: `queued_bits`."""
    group = group_of(fleet, camera)
    if account_R[row] == UNBEGUN:
        # Enough for a first message, so that no camera is ever behind, and more, lest all send in step.
        first_bits = hulls.bits_VGH[version, group, 1]
        account_R[row] = MILLI * (first_bits + draw_below(fleet.seed, STREAM_TURN, camera, 0, first_bits))
    top_bits = hulls.bits_VGH[version, group, hulls.corners_VG[version, group] - 1]
    account_R[row] = min(account_R[row], MOST_FRAMES * MILLI * top_bits) + told[0]
    in_hand_millibits = account_R[row] - MILLI * queued_bits
    return level_within(hulls, version, group, told[1], in_hand_millibits)


@inlined()
def hear(told_CS, fleet, hulls, cell, camera, version, level, bits):
    """A message of so many bits, headers included, came through."""
    group = group_of(fleet, camera)
    told = told_CS[cell, _kind_of(fleet, version, camera)]
    told.heard_bits += bits
    told.expected_bits += hulls.bits_VGL[at(version), at(group), at(level)]
