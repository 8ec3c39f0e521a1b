"""The best that could have become of a sweep point: its oracle, over some of its cells where it has many.

A camera alone on a link that neither loses, fades nor rests has an exact oracle (engine.oracle); any other
cell a bound by all that its link can carry (engine.bound).
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.control.observation import SKIP
from fleet_sim.engine.bound import CellPlan, best_in_cell
from fleet_sim.engine.captures import first_capture_us, next_capture_us
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import FULL_PPM, groups_of_cameras
from fleet_sim.engine.oracle import Plan, best_plan
from fleet_sim.engine.views import scene_of
from fleet_sim.network import packets
from fleet_sim.network.capacity import cell_bits
from fleet_sim.network.link import ALOHA, CONSTANT, MARKOV, SEGMENTS, Link

MOST_FRAMES = {"link": 20_000, "cell": 200_000}
"""Frames looked at: seconds of work."""
SCALE = 10_000


class Knows(NamedTuple):
    """What an oracle knows of F scenes at L levels."""

    payload_bytes_FL: np.ndarray
    worth_FL: np.ndarray  # ten-thousandths, how likely each is answered right
    right_FL: np.ndarray  # bool, whether it is; only to say what became of a plan


class Best(NamedTuple):
    """What the oracle got."""

    kind: str  # link or cell
    cells: tuple[int, ...]  # where it was asked
    on_time_accuracy: float  # real answers of its plan, of all frames offered there
    worth: float  # what it expects of them, which no controller can expect more of


def best_of(fleet: Fleet, knows: Knows) -> Best:
    """The oracle of a point."""
    kind = "link" if fleet.cameras == fleet.cells and _exact(fleet.link) else "cell"
    first = _frames_of(fleet, knows, 0)
    asked = max(1, min(fleet.cells, MOST_FRAMES[kind] // max(1, len(first.scene_F))))
    cells = tuple(np.unique(np.rint(np.linspace(0, fleet.cells - 1, asked)).astype(int)).tolist())
    offered, right, worth = 0, 0, 0.0
    for cell in cells:
        frames = _frames_of(fleet, knows, cell)
        worth_FL = knows.worth_FL[frames.scene_F].astype(np.int64)
        if kind == "link":
            plan: Plan | CellPlan = best_plan(
                fleet.link,
                fleet.seed,
                cell,
                frames.capture_us_F + fleet.encode_us,
                # What ends with the run is not counted any more.
                np.minimum(
                    frames.capture_us_F + fleet.deadline_us - fleet.link.propagation_us, fleet.duration_us - 1
                ),
                frames.air_bits_FL,
                worth_FL,
            )
        else:
            plan = best_in_cell(_most_bits(fleet, cell), frames.air_bits_FL, worth_FL)
        sent_M = np.flatnonzero(plan.level_F != SKIP)
        offered += len(plan.level_F)
        right += int(knows.right_FL[frames.scene_F[sent_M], plan.level_F[sent_M]].sum())
        worth += plan.worth
    offered = max(offered, 1)
    return Best(kind, cells, right / offered, worth / SCALE / offered)


class _Frames(NamedTuple):
    """All frames of a cell in the order of their captures."""

    capture_us_F: np.ndarray
    scene_F: np.ndarray
    air_bits_FL: np.ndarray  # at the cell's own rate, rounded down


def _frames_of(fleet: Fleet, knows: Knows, cell: int) -> _Frames:
    camera_F, capture_us_F, scene_F = (
        np.concatenate(column)
        for column in zip(
            *(_offered(fleet, camera) for camera in range(cell, fleet.cameras, fleet.cells)), strict=True
        )
    )
    order_F = np.lexsort((camera_F, capture_us_F))
    scene_F = scene_F[order_F]
    wire_bytes_FL = _wire_bytes(
        fleet.link, knows.payload_bytes_FL[scene_F].astype(np.int64) + _around_bytes(fleet)
    )
    rate_ppm_F = np.full(len(order_F), FULL_PPM)
    if fleet.counted_groups:
        rate_ppm_F = fleet.groups.rate_ppm_G[groups_of_cameras(fleet, camera_F[order_F])]
    return _Frames(capture_us_F[order_F], scene_F, 8 * wire_bytes_FL * FULL_PPM // rate_ppm_F[:, None])


def _around_bytes(fleet: Fleet) -> int:
    return fleet.message_header_bytes + fleet.link.length_bytes


def _exact(link: Link) -> bool:
    """Whether the exact oracle knows this link."""
    return (
        link.capacity in (CONSTANT, SEGMENTS, MARKOV)
        and link.sharing != ALOHA
        and not (link.fading_us or link.rest_ppm or link.to_bad or link.loss_good)
        and link.aggregate == 1
        and len(link.outage_from_us_O) == 0
    )


def _most_bits(fleet: Fleet, cell: int) -> int:
    """What the cell could carry in the whole run, with cameras fading as they like best."""
    bits = int(cell_bits(fleet.link, fleet.seed, cell, fleet.duration_us))
    best_ppm = int(fleet.link.fading_ppm_S.max(initial=FULL_PPM))
    return bits * best_ppm // FULL_PPM


@compiled()
def _offered(fleet, camera):
    """(camera, capture time, scene) of every frame of a camera."""
    count, capture_us = 0, first_capture_us(fleet, camera)
    while capture_us < fleet.duration_us:
        capture_us = next_capture_us(fleet, camera, count, capture_us)
        count += 1
    camera_F = np.full(count, camera)
    capture_us_F, scene_F = np.empty(count, np.int64), np.empty(count, np.int64)
    capture_us = first_capture_us(fleet, camera)
    for frame in range(count):
        capture_us_F[frame] = capture_us
        scene_F[frame] = scene_of(fleet, camera, frame, capture_us)
        capture_us = next_capture_us(fleet, camera, frame, capture_us)
    return camera_F, capture_us_F, scene_F


@compiled()
def _wire_bytes(link, size_FL):
    found_FL = np.empty_like(size_FL)
    for frame in range(size_FL.shape[0]):
        for level in range(size_FL.shape[1]):
            found_FL[frame, level] = packets.wire_bytes(link, size_FL[frame, level])
    return found_FL
