"""The cameras of one shard: when they take frames, what those weigh, and how many bits they may plan with."""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import bare
from fleet_sim.control.allocation import EQUAL
from fleet_sim.control.budget import plan_bits
from fleet_sim.control.hull import MILLI, NO_HULLS, Hulls
from fleet_sim.control.observation import MIND
from fleet_sim.engine.air import idle
from fleet_sim.engine.allocating import TOLD, UNBEGUN
from fleet_sim.engine.captures import first_capture_us, next_capture_us
from fleet_sim.engine.fleet import Fleet, cameras_of_cells
from fleet_sim.engine.groups import FULL_PPM, groups_of_cameras, part_of
from fleet_sim.engine.installs import at_first
from fleet_sim.network import packets
from fleet_sim.network.link import AIRTIME, CONSTANT
from fleet_sim.network.queues import Pool
from fleet_sim.network.uplink import AT_FULL_RATE, NEVER, Uplinks, idle_uplinks

MICRO = 1_000_000


SOURCE = np.dtype(
    [
        ("capture_us", "i8"),  # when the camera takes its next frame ...
        ("frame", "i4"),  # ... and which that is
        ("order", "i4"),  # periodic: the cell's cameras (rows) by capture time; else a heap by it
    ]
)
CONTROL = np.dtype(
    [
        ("plan_bits", "i8"),  # what the budget controller may plan with between two frames
        ("alone_bits", "i8"),  # what the link carries of one camera alone, likewise
        ("next", "i4"),  # periodic: place of the cell's next camera in its round
        ("named", "i2"),  # place of the cell among report.cells, -1 for the others
    ],
    align=True,
)
METER = np.dtype(
    [
        ("busy_us", "i8"),  # until when the processor works on its last frame
        ("wire_bits", "i8"),
        ("received_bits", "i8"),  # of encoders
        ("encoded", "i4"),
        ("wakes", "i4"),  # times that the radio woke: messages begun
    ]
)


class Cameras(NamedTuple):
    """State of a shard's R cameras in C cells, beside their uplinks."""

    sources: np.ndarray  # (R,) SOURCE
    control: np.ndarray  # (C,) CONTROL
    by_server_C: np.ndarray  # the cells, those of one server after those of another
    from_S: np.ndarray  # (S + 1,) a server's part of by_server_C
    told_CS: np.ndarray  # (C, V * G) TOLD; empty where all cameras of a cell get equal parts
    account_R: (
        np.ndarray
    )  # int64, millibits told to each less those it had on air; empty if it heeds none itself
    minds: np.ndarray  # (R,) MIND; empty where the step itself picks levels
    meters: np.ndarray  # (R,) METER; empty where cameras have no processor
    # Empty where encoders do not travel:
    versions_R3: np.ndarray  # the last three versions that each camera took up, ...
    since_us_R3: np.ndarray  # ... each from when on
    downloads: np.ndarray  # (R,) DOWNLOAD
    senders: np.ndarray  # (C,) SENDER


class Messages(NamedTuple):
    """Sizes of coded frames. In a bank F counts scenes; live, the frames of this epoch, camera by camera."""

    sizes_VFL2: np.ndarray  # see `sizes`
    expected_bits_VL: np.ndarray  # mean wire bits on the training set, what the controller plans with
    right_VL: np.ndarray  # float64, share of right answers in the calibration; 0 where none was made
    right_VFL: np.ndarray  # int16, how likely a frame is answered right, in ten-thousandths; or empty
    live_from_R: np.ndarray  # live: place of the camera's first frame of this epoch; empty in a bank
    live_frame_R: np.ndarray  # live: that frame's number
    hulls: Hulls = NO_HULLS  # by group of cameras, for what base stations allocate


def sizes(payload_bytes_VFL: np.ndarray, ideal_millibits_VFL: np.ndarray) -> np.ndarray:
    """Payload bytes and ideal millibits side by side (V, F, L, 2): the step reads both of a frame at once."""
    return np.stack([payload_bytes_VFL, ideal_millibits_VFL], axis=-1).astype(np.int32)


def new_cameras(
    fleet: Fleet, cell_C: np.ndarray, named: tuple[int, ...], servers: int, versions: int = 1
) -> tuple[Cameras, Uplinks, Pool]:
    """Cameras of these cells before their first frame, with empty queues."""
    camera_R, count_C = cameras_of_cells(fleet, cell_C)
    sources, control = np.zeros(len(camera_R), SOURCE), np.zeros(len(cell_C), CONTROL)
    _fill_first_captures(fleet, camera_R, sources)
    cell_R = np.repeat(np.arange(len(cell_C)), count_C)
    sources["order"] = np.lexsort((sources["capture_us"], cell_R))  # sorted, hence also a heap
    control["plan_bits"] = [_plan_bits(fleet, int(cameras)) for cameras in count_C]
    control["alone_bits"] = _alone_bits(fleet)
    control["named"] = -1
    for place, cell in enumerate(named):
        control["named"][cell_C == cell] = place
    server_C = cell_C % servers
    travelling = len(camera_R) if fleet.downlink.bps else 0
    versions_R3, since_us_R3 = at_first(travelling)
    downloads, senders = idle(travelling, len(cell_C) if travelling else 0)
    cameras = Cameras(
        sources,
        control,
        by_server_C=np.argsort(server_C, kind="stable").astype(np.int32),
        from_S=np.searchsorted(np.sort(server_C), np.arange(servers + 1)),
        told_CS=_untold(fleet, control["plan_bits"], versions),
        account_R=np.full(0 if fleet.allocation.kind == EQUAL or fleet.observes else len(camera_R), UNBEGUN),
        minds=np.zeros(len(camera_R) if fleet.observes else 0, MIND),
        meters=np.zeros(len(camera_R) if fleet.metered else 0, METER),
        versions_R3=versions_R3,
        since_us_R3=since_us_R3,
        downloads=downloads,
        senders=senders,
    )
    rate_ppm_R = AT_FULL_RATE
    if (fleet.groups.rate_ppm_G != FULL_PPM).any():
        rate_ppm_R = fleet.groups.rate_ppm_G[groups_of_cameras(fleet, camera_R)]
    return cameras, *idle_uplinks(fleet.link, fleet.seed, cell_C, camera_R, count_C, rate_ppm_R)


def expected_wire_bits(fleet: Fleet, payload_bits_VL: np.ndarray) -> np.ndarray:
    """Wire bits of messages whose payloads have these mean sizes, (V, L) int64."""
    link = fleet.link
    around = fleet.message_header_bytes + link.length_bytes
    packets_headers = [
        packets.wire_bytes(link, size) - size for size in (-(-payload_bits_VL // 8) + around).ravel().tolist()
    ]
    headers_VL = np.reshape(packets_headers, payload_bits_VL.shape)
    expected_bits_VL: np.ndarray = payload_bits_VL + 8 * (around + headers_VL)
    return expected_bits_VL


def _untold(fleet: Fleet, plan_bits_C: np.ndarray, versions: int) -> np.ndarray:
    """(C, V * G) TOLD before anything was told: equal parts."""
    if fleet.allocation.kind == EQUAL:
        return np.zeros((0, 0), TOLD)
    groups = max(1, fleet.counted_groups)
    plan_bits_CG = [[part_of(fleet, group, int(bits)) for group in range(groups)] for bits in plan_bits_C]
    told_CS = np.zeros((len(plan_bits_C), versions * groups), TOLD)
    for name in ("air_millibits", "plan_millibits"):
        told_CS[name] = MILLI * np.tile(np.reshape(plan_bits_CG, (-1, groups)), versions)
    told_CS["next_us"] = NEVER
    return told_CS


def _alone_bits(fleet: Fleet) -> int:
    link = fleet.link
    bps = link.bps if link.capacity in (CONSTANT, AIRTIME) else link.budget_bps
    return plan_bits(bps, 1, fleet.frame_period_us, fleet.headroom_ppm)


def _plan_bits(fleet: Fleet, cameras: int) -> int:
    link, period_us, headroom_ppm = fleet.link, fleet.frame_period_us, fleet.headroom_ppm
    share = plan_bits(link.budget_bps, cameras, period_us, headroom_ppm)
    if not link.rest_ppm:
        return share
    alone_bps = link.bps * MICRO // (MICRO + link.rest_ppm)  # all that its duty cycle lets a camera send
    return min(share, plan_bits(alone_bps, 1, period_us, headroom_ppm))


@bare()
def _fill_first_captures(fleet, camera_R, sources):
    for row in range(camera_R.shape[0]):
        sources[row].capture_us = first_capture_us(fleet, np.int64(camera_R[row]))


@bare()
def upcoming(cameras, u, fleet, until_us, row_F, capture_us_F):
    """How many frames become ready before `until_us` that have not yet, and whose they are and from when.

    Row by row, each row's frames in order, as far as row_F and capture_us_F have room.
    """
    count = 0
    for row in range(cameras.sources.shape[0]):
        frame, capture_us = np.int64(cameras.sources[row].frame), cameras.sources[row].capture_us
        while capture_us + fleet.encode_us < until_us:
            if count < row_F.shape[0]:
                row_F[count] = row
                capture_us_F[count] = capture_us
            count += 1
            capture_us = next_capture_us(fleet, np.int64(u.cameras[row].camera), frame, capture_us)
            frame += 1
    return count
