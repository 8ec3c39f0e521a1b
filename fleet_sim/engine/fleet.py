"""The constants of one sweep point, and which cameras a shard has."""

from typing import NamedTuple

import numpy as np

from fleet_sim.engine.allocating import EQUAL_PARTS, Allocation
from fleet_sim.engine.groups import ALIKE, Groups
from fleet_sim.engine.views import UNCHANGED, Views
from fleet_sim.network.downlink import CLOSED, Downlink
from fleet_sim.network.link import Link


class Fleet(NamedTuple):
    """What every camera and server knows from the start; whole numbers only."""

    seed: int
    cameras: int
    cells: int
    duration_us: int
    capture: int  # see engine.captures, also for the next fields
    frame_period_us: int
    burst_period_us: int
    event_slot_us: int
    event_threshold: int
    event_us: int
    spread_us: int
    encode_us: int
    message_header_bytes: int
    deadline_us: int
    fixed_level: int  # -1: the budget controller picks, or one that observes
    observes: bool  # a controller that the step calls picks levels
    headroom_ppm: int
    scenes: int  # images; with views each is there in several looks
    link: Link
    groups: Groups = ALIKE  # where there are any, their frame periods hold
    views: Views = UNCHANGED
    allocation: Allocation = EQUAL_PARTS
    metered: bool = False  # cameras have a processor: it may be busy, and what they do is counted one by one
    downlink: Downlink = CLOSED  # where it carries encoders; else every camera has each at once
    install_us: int = 0  # from a version's last block until the camera has rebuilt and verified it
    install_failure_ppm: int = 0
    labelled_ppm: int = 0  # of the answers that get a label, by a hash of the frame
    wrong_labels_ppm: int = 0  # of the labels

    @property
    def counted_groups(self) -> int:
        """Groups that are counted apart: none where all cameras are alike."""
        return len(self.groups.upto_G)

    @property
    def seconds(self) -> int:
        """Virtual seconds begun."""
        return -(-self.duration_us // 1_000_000)


class Mixes(NamedTuple):
    """I ways of having several heads answer side by side, each for some of the cameras.

    A camera whose draw in (stream, counter) is below one of below_ppm_IA, rising to a million, and not below
    the one before it, is read by that one of head_IA.
    """

    stream_I: np.ndarray
    counter_I: np.ndarray
    below_ppm_IA: np.ndarray
    head_IA: np.ndarray


NO_MIXES = Mixes(*[np.zeros(0, np.int64)] * 2, *[np.zeros((0, 1), np.int64)] * 2)


class Schedule(NamedTuple):
    """Which head answers from when: places in the scenario's list of H heads, times rising from 0.

    Place H + i stands for mix i. Of one time the last holds. Where a head was retrained for some encoders
    only, reads_VH has for each of V versions which head really answers in place of each; else it is empty.
    """

    head_from_us_W: np.ndarray
    head_W: np.ndarray
    mixes: Mixes = NO_MIXES
    retired_us_V: np.ndarray = np.zeros(0, np.int64)  # from when servers read a version no more; or empty
    reads_VH: np.ndarray = np.zeros((0, 0), np.int64)


def cells_of_shard(cells: int, shard: int, shards: int) -> np.ndarray:
    """The cells a shard owns, whole and contiguous; none if there are more shards than cells."""
    return np.arange(cells * shard // shards, cells * (shard + 1) // shards, dtype=np.int64)


def cameras_of_cells(fleet: Fleet, cell_C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cameras of these cells as rows sorted by (cell, camera): (camera_R, cameras a cell)."""
    count_C = (fleet.cameras - cell_C + fleet.cells - 1) // fleet.cells
    first_C = np.concatenate([[0], np.cumsum(count_C)[:-1]]).astype(np.int64) if len(cell_C) else cell_C
    within_R = np.arange(count_C.sum(), dtype=np.int64) - np.repeat(first_C, count_C)
    return within_R * fleet.cells + np.repeat(cell_C, count_C), count_C
