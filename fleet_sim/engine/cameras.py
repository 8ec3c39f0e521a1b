"""The cameras of one shard in virtual time: one compiled step over their rows.

Per cell, the next event is either a frame that is ready to send or the end of a transmission. Events are
taken in order of (time, camera, frame) and each leaves the state complete, so a step may stop at any time
and the next one go on: the length of an epoch has no meaning.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import STREAM_PHASE, STREAM_SCENE, draw_below
from fleet_sim.control.budget import budget_level, plan_bits
from fleet_sim.engine import counts as c
from fleet_sim.engine.fleet import Fleet, cameras_of_cells
from fleet_sim.network import heap, uplink
from fleet_sim.network.uplink import NEVER, Uplinks

MICRO = 1_000_000


class Cameras(NamedTuple):
    """State of a shard's R cameras in C cells, beside their uplinks."""

    cell_C: np.ndarray
    by_server_C: np.ndarray  # places of the cells, server by server
    plan_bits_C: np.ndarray  # what the budget controller may plan with between two frames
    named_C: np.ndarray  # place of the cell among report.cells, -1 for the others
    camera_R: np.ndarray
    phase_us_R: np.ndarray  # capture time of frame 0
    frame_R: np.ndarray  # next frame to become ready
    ready_us_R: np.ndarray  # heap of the cell: when its cameras' next frames are ready ...
    ready_row_R: np.ndarray  # ... and whose they are


class Messages(NamedTuple):
    """Sizes of coded frames. In a bank F counts scenes; live, the frames of this epoch, camera by camera."""

    payload_bytes_VLF: np.ndarray
    ideal_millibits_VLF: np.ndarray
    expected_bits_VL: np.ndarray  # mean wire bits on the training set, what the controller plans with
    live_from_R: np.ndarray  # live: place of the camera's first frame of this epoch; empty in a bank
    live_frame_R: np.ndarray  # live: that frame's number


def new_cameras(
    fleet: Fleet, cell_C: np.ndarray, named: tuple[int, ...], servers: int
) -> tuple[Cameras, Uplinks]:
    """Cameras of these cells before their first frame, with empty queues."""
    camera_R, count_C = cameras_of_cells(fleet, cell_C)
    phase_us_R = _phases(fleet.seed, camera_R, fleet.frame_period_us)
    plan_C = [plan_bits(fleet.budget_bps, int(n), fleet.frame_period_us, fleet.headroom_ppm) for n in count_C]
    cameras = Cameras(
        cell_C=cell_C,
        by_server_C=np.argsort(cell_C % servers, kind="stable"),
        plan_bits_C=np.array(plan_C, np.int64),
        named_C=np.array([named.index(g) if g in named else -1 for g in cell_C], np.int64),
        camera_R=camera_R,
        phase_us_R=phase_us_R,
        frame_R=np.zeros(len(camera_R), np.int64),
        ready_us_R=np.zeros(len(camera_R), np.int64),
        ready_row_R=np.zeros(len(camera_R), np.int64),
    )
    frames = fleet.duration_us // fleet.frame_period_us + 1
    smallest_packets = fleet.buffer_bytes // fleet.header_bytes
    places = min(frames, smallest_packets) + 1
    uplinks = uplink.idle_uplinks(count_C, places)
    _fill_heaps(cameras, uplinks.first_row_C, fleet.encode_us)
    return cameras, uplinks


@compiled()
def _phases(seed, camera_R, period_us):
    phase_us_R = np.empty(camera_R.shape[0], np.int64)
    for row in range(camera_R.shape[0]):
        phase_us_R[row] = draw_below(seed, STREAM_PHASE, camera_R[row], 0, period_us)
    return phase_us_R


@compiled()
def _fill_heaps(cameras, first_row_C, encode_us):
    for cell in range(first_row_C.shape[0] - 1):
        first = first_row_C[cell]
        for row in range(first, first_row_C[cell + 1]):
            ready_us = cameras.phase_us_R[row] + encode_us
            heap.push(cameras.ready_us_R, cameras.ready_row_R, first, row - first, ready_us, row)


@compiled()
def scene_of(seed, camera, frame, scenes):
    """Which of the `scenes` this camera sees in this frame."""
    return draw_below(seed, STREAM_SCENE, camera, frame, scenes)


@compiled()
def ready_frames(cameras, fleet, until_us):
    """How many frames of each camera become ready before `until_us` that have not yet, (R,) int64."""
    count_R = np.zeros(cameras.camera_R.shape[0], np.int64)
    for row in range(count_R.shape[0]):
        first_us = cameras.phase_us_R[row] + fleet.encode_us + cameras.frame_R[row] * fleet.frame_period_us
        if first_us < until_us:
            count_R[row] = (until_us - first_us - 1) // fleet.frame_period_us + 1
    return count_R


@compiled()
def version_at(version_from_us_V, time_us):
    """The encoder version in force at this time."""
    version = 0
    for v in range(1, version_from_us_V.shape[0]):
        if version_from_us_V[v] <= time_us:
            version = v
    return version


@compiled()
def _count(by_second_VSC, cells_KSC, named, version, second, column, amount):
    by_second_VSC[version, second, column] += amount
    if named >= 0:
        cells_KSC[named, second, column] += amount


@compiled()
def _send_next(u, cell, named, now_us, fleet, by_second_VSC, cells_KSC):
    outcome = uplink.EXPIRED
    while outcome == uplink.EXPIRED:
        outcome, version = uplink.start_next(u, cell, now_us, fleet.budget_bps, fleet.header_bytes)
        if outcome == uplink.EXPIRED:
            _count(by_second_VSC, cells_KSC, named, version, now_us // MICRO, c.DROPPED_DEADLINE, 1)


@compiled()
def step(
    cameras,
    u,
    fleet,
    messages,
    version_from_us_V,
    until_us,
    by_second_VSC,
    cells_KSC,
    cell_bits_C,
    sent,
    sent_from_S,
):
    """Take every event before `until_us`; fill `sent` from its start, server by server.

    sent_from_S: (S + 1,) is filled with the places where the messages of server 0, 1, ... S - 1 begin, and
    the last one's end.
    """
    sent_count = 0
    live = messages.live_from_R.shape[0] > 0
    server = -1
    for turn in range(cameras.cell_C.shape[0]):
        cell = cameras.by_server_C[turn]
        while cameras.cell_C[cell] % (sent_from_S.shape[0] - 1) != server:
            server += 1
            sent_from_S[server] = sent_count
        base = u.first_row_C[cell]
        size = u.first_row_C[cell + 1] - base
        named = cameras.named_C[cell]
        while True:
            end_us = u.end_us_C[cell]
            ready_us, row = cameras.ready_us_R[base], cameras.ready_row_R[base]
            if min(end_us, ready_us) >= until_us:
                break
            if end_us < ready_us or (end_us == ready_us and u.sending_row_C[cell] <= row):
                sender = u.sending_row_C[cell]
                version = u.sending_version_C[cell]
                payload = u.sending_payload_C[cell]
                wire_bits = 8 * (payload + fleet.header_bytes)
                second = end_us // MICRO
                for column, amount in (
                    (c.SENT, 1),
                    (c.LEVEL_SUM, u.sending_level_C[cell]),
                    (c.PAYLOAD_BITS, 8 * payload),
                    (c.WIRE_BITS, wire_bits),
                    (c.IDEAL_MILLIBITS, u.sending_millibits_C[cell]),
                ):
                    _count(by_second_VSC, cells_KSC, named, version, second, column, amount)
                cell_bits_C[cell] += wire_bits
                sent.arrive_us[sent_count] = end_us + fleet.propagation_us
                sent.capture_us[sent_count] = (
                    cameras.phase_us_R[sender] + u.sending_frame_C[cell] * fleet.frame_period_us
                )
                sent.camera[sent_count] = cameras.camera_R[sender]
                sent.frame[sent_count] = u.sending_frame_C[cell]
                sent.level[sent_count] = u.sending_level_C[cell]
                sent.version[sent_count] = version
                sent_count += 1
                u.end_us_C[cell] = NEVER
                _send_next(u, cell, named, end_us, fleet, by_second_VSC, cells_KSC)
                continue

            frame = cameras.frame_R[row]
            capture_us = ready_us - fleet.encode_us
            version = version_at(version_from_us_V, capture_us)
            if live:
                place = messages.live_from_R[row] + frame - messages.live_frame_R[row]
            else:
                place = scene_of(fleet.seed, cameras.camera_R[row], frame, fleet.scenes)
            level = fleet.fixed_level
            if level < 0:
                level = budget_level(
                    messages.expected_bits_VL[version], cameras.plan_bits_C[cell], 8 * u.queued_bytes_R[row]
                )
            _count(by_second_VSC, cells_KSC, named, version, capture_us // MICRO, c.OFFERED, 1)
            fits = uplink.enqueue(
                u,
                cell,
                row,
                frame,
                capture_us + fleet.deadline_us - fleet.propagation_us,
                messages.payload_bytes_VLF[version, level, place],
                messages.ideal_millibits_VLF[version, level, place],
                level,
                version,
                fleet.header_bytes,
                fleet.buffer_bytes,
            )
            if not fits:
                _count(by_second_VSC, cells_KSC, named, version, ready_us // MICRO, c.DROPPED_BUFFER, 1)
            cameras.frame_R[row] = frame + 1
            heap.replace_top(
                cameras.ready_us_R, cameras.ready_row_R, base, size, ready_us + fleet.frame_period_us, row
            )
            if fits and end_us == NEVER:
                _send_next(u, cell, named, ready_us, fleet, by_second_VSC, cells_KSC)
    sent_from_S[server + 1 :] = sent_count


@compiled()
def count_unfinished(cameras, u, fleet, version_from_us_V, by_second_VSC, cells_KSC):
    """At the end of the run, offer frames captured but not yet ready; return how many frames cameras hold."""
    held = 0
    for cell in range(cameras.cell_C.shape[0]):
        if u.end_us_C[cell] != NEVER:
            held += 1
        for row in range(u.first_row_C[cell], u.first_row_C[cell + 1]):
            held += u.length_R[row]
            capture_us = cameras.phase_us_R[row] + cameras.frame_R[row] * fleet.frame_period_us
            while capture_us < fleet.duration_us:
                version = version_at(version_from_us_V, capture_us)
                _count(
                    by_second_VSC,
                    cells_KSC,
                    cameras.named_C[cell],
                    version,
                    capture_us // MICRO,
                    c.OFFERED,
                    1,
                )
                held += 1
                capture_us += fleet.frame_period_us
    return held
