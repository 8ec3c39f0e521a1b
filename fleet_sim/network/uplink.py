"""Shared uplinks: the cameras of a cell take turns, packet by packet, max-min fair.

The turn is decided by self-clocked fair queueing (S. J. Golestani, "A self-clocked fair queueing scheme for
broadband applications", INFOCOM 1994) with equal weights: the packet with the smallest finish tag goes
first, where a packet's tag is its size in bits added to the tag at which its camera's previous packet
finished, or to the tag now being sent if that is greater and the camera had nothing waiting. Tags are
integers, and ties go to the lower camera, so the order is exact. Over any busy time two waiting cameras
differ by at most one packet each: a camera that wants less than an equal share gets it, and the rest share
what is left.

A camera's queue is a ring of at most `buffer_bytes`, tail drop; the packet being sent no longer counts. A
packet that could not be fully sent by its expiry is dropped when its turn comes, and its camera pays no
tag for it.

Transmissions of one busy time end at ``busy_start + ceil(bits since busy_start * 10^6 / bps)``: rounding to
the microsecond does not pile up.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.network import heap

NEVER = np.int64(2**62)
EMPTY, STARTED, EXPIRED = 0, 1, 2


class Uplinks(NamedTuple):
    """State of C cells and the queues of their R cameras (rows, sorted by cell), Q places each."""

    first_row_C: np.ndarray  # (C + 1,) the cell's cameras are rows first_row[c] .. first_row[c + 1]
    busy_start_us_C: np.ndarray
    busy_bits_C: np.ndarray  # sent or being sent since busy_start; 0 when idle
    end_us_C: np.ndarray  # when the packet being sent is through; NEVER when idle
    sending_row_C: np.ndarray
    sending_frame_C: np.ndarray
    sending_payload_C: np.ndarray
    sending_millibits_C: np.ndarray
    sending_level_C: np.ndarray
    sending_version_C: np.ndarray
    virtual_C: np.ndarray  # tag of the packet being sent, or of the last one
    waiting_C: np.ndarray  # cameras with something in their queue
    tag_R: np.ndarray  # tag at which the camera's last sent packet finished
    queued_bytes_R: np.ndarray
    oldest_R: np.ndarray
    length_R: np.ndarray
    heap_tag_R: np.ndarray
    heap_row_R: np.ndarray
    frame_RQ: np.ndarray
    expiry_us_RQ: np.ndarray
    payload_RQ: np.ndarray  # bytes
    millibits_RQ: np.ndarray  # ideal size
    level_RQ: np.ndarray
    version_RQ: np.ndarray


def idle_uplinks(cameras_by_cell: np.ndarray, places: int) -> Uplinks:
    """Empty queues for cells with these many cameras each, `places` packets a queue."""
    cells, rows = len(cameras_by_cell), int(cameras_by_cell.sum())

    def of(shape: int | tuple[int, int], dtype: type, value: int = 0) -> np.ndarray:
        return np.full(shape, value, dtype)

    ring = (rows, places)
    return Uplinks(
        first_row_C=np.concatenate([[0], np.cumsum(cameras_by_cell)]).astype(np.int64),
        busy_start_us_C=of(cells, np.int64),
        busy_bits_C=of(cells, np.int64),
        end_us_C=of(cells, np.int64, int(NEVER)),
        sending_row_C=of(cells, np.int64),
        sending_frame_C=of(cells, np.int64),
        sending_payload_C=of(cells, np.int64),
        sending_millibits_C=of(cells, np.int64),
        sending_level_C=of(cells, np.int64),
        sending_version_C=of(cells, np.int64),
        virtual_C=of(cells, np.int64),
        waiting_C=of(cells, np.int64),
        tag_R=of(rows, np.int64),
        queued_bytes_R=of(rows, np.int64),
        oldest_R=of(rows, np.int32),
        length_R=of(rows, np.int32),
        heap_tag_R=of(rows, np.int64),
        heap_row_R=of(rows, np.int64),
        frame_RQ=of(ring, np.int32),
        expiry_us_RQ=of(ring, np.int64),
        payload_RQ=of(ring, np.int32),
        millibits_RQ=of(ring, np.int32),
        level_RQ=of(ring, np.int8),
        version_RQ=of(ring, np.int8),
    )


@compiled()
def enqueue(u, cell, row, frame, expiry_us, payload, millibits, level, version, header, buffer):
    """Put a packet of `payload` + `header` bytes at the end of its camera's queue; False if that is full."""
    wire = payload + header
    if u.queued_bytes_R[row] + wire > buffer:
        return False
    place = (u.oldest_R[row] + u.length_R[row]) % u.frame_RQ.shape[1]
    u.frame_RQ[row, place] = frame
    u.expiry_us_RQ[row, place] = expiry_us
    u.payload_RQ[row, place] = payload
    u.millibits_RQ[row, place] = millibits
    u.level_RQ[row, place] = level
    u.version_RQ[row, place] = version
    u.queued_bytes_R[row] += wire
    u.length_R[row] += 1
    if u.length_R[row] == 1:
        u.tag_R[row] = max(u.tag_R[row], u.virtual_C[cell])
        heap.push(
            u.heap_tag_R, u.heap_row_R, u.first_row_C[cell], u.waiting_C[cell], u.tag_R[row] + 8 * wire, row
        )
        u.waiting_C[cell] += 1
    return True


@compiled()
def start_next(u, cell, now_us, bps, header):
    """Begin the next transmission of an idle cell.

    Returns (STARTED, version), or (EXPIRED, version) after dropping one packet that could not be through in
    time (call again then), or (EMPTY, 0) with the cell left idle.
    """
    if u.waiting_C[cell] == 0:
        u.busy_bits_C[cell] = 0
        return EMPTY, 0
    base = u.first_row_C[cell]
    tag, row = u.heap_tag_R[base], u.heap_row_R[base]
    place = u.oldest_R[row]
    version = np.int64(u.version_RQ[row, place])
    wire = np.int64(u.payload_RQ[row, place]) + header

    if u.busy_bits_C[cell] == 0:
        u.busy_start_us_C[cell] = now_us
    bits = u.busy_bits_C[cell] + 8 * wire
    end_us = u.busy_start_us_C[cell] + (bits * 1_000_000 + bps - 1) // bps
    in_time = end_us <= u.expiry_us_RQ[row, place]
    if in_time:
        whole_seconds = bits // bps  # keeps bits * 10^6 far from overflow; exact, since a second is whole
        u.busy_start_us_C[cell] += whole_seconds * 1_000_000
        u.busy_bits_C[cell] = bits - whole_seconds * bps
        u.end_us_C[cell] = end_us
        u.sending_row_C[cell] = row
        u.sending_frame_C[cell] = u.frame_RQ[row, place]
        u.sending_payload_C[cell] = u.payload_RQ[row, place]
        u.sending_millibits_C[cell] = u.millibits_RQ[row, place]
        u.sending_level_C[cell] = u.level_RQ[row, place]
        u.sending_version_C[cell] = version
        u.virtual_C[cell] = tag
        u.tag_R[row] = tag

    u.oldest_R[row] = (place + 1) % u.frame_RQ.shape[1]
    u.length_R[row] -= 1
    u.queued_bytes_R[row] -= wire
    if u.length_R[row] == 0:
        heap.drop_top(u.heap_tag_R, u.heap_row_R, base, u.waiting_C[cell])
        u.waiting_C[cell] -= 1
    else:
        wire = np.int64(u.payload_RQ[row, u.oldest_R[row]]) + header
        heap.replace_top(u.heap_tag_R, u.heap_row_R, base, u.waiting_C[cell], u.tag_R[row] + 8 * wire, row)
    return (STARTED if in_time else EXPIRED), version
