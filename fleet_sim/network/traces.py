"""Measured links from files, as segments that repeat.

Two kinds of file, told apart by their first line:

- Mahimahi (R. Netravali et al., "Mahimahi: accurate record-and-replay for HTTP", USENIX ATC 2015): one whole
  number a line, rising, the millisecond at which 1,500 bytes could leave; equal lines are as many
  opportunities; one that nobody uses is lost; the file starts again at its last time.
- rates: two columns, seconds (rising) and Mbit/s, each rate holding until the next line; the last one holds
  as long as the others do on average, and then the file starts again. Times count from the first.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fleet_sim.basics.errors import UserError

OPPORTUNITY_BITS = 8 * 1500
LARGEST_BYTES = 64_000_000


class Trace(NamedTuple):
    """Segments of a lap: rates that hold from their time on, and what could leave at once at that time."""

    at_us_S: np.ndarray  # int64, rising, the first 0
    rate_bps_S: np.ndarray  # int64
    burst_bits_S: np.ndarray  # int64
    lap_us: int
    content_hash: str


def read_trace(path: Path) -> Trace:
    """The trace in the file at `path`; UserError names the file and the line that will not do."""
    try:
        if "\0" in str(path):
            raise UserError(f"{str(path)!r}: no file has such a name")
        stat = path.stat()
        return _read(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; a trace is one of Mahimahi's or has two columns") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int, size: int) -> Trace:
    if size > LARGEST_BYTES:
        raise UserError(f"{path}: {size} bytes; a trace may have {LARGEST_BYTES}")
    content = path.read_bytes()
    lines = [(i, text.split()) for i, text in enumerate(content.decode("latin-1").split("\n"), 1)]
    lines = [(i, words) for i, words in lines if words]
    if not lines:
        raise UserError(f"{path}: is empty; a trace is one of Mahimahi's or has two columns")
    read = _opportunities if len(lines[0][1]) == 1 else _rates
    return read(path, lines, hashlib.sha256(content).hexdigest())


def _opportunities(path: Path, lines: list[tuple[int, list[str]]], content_hash: str) -> Trace:
    times_ms = []
    for i, words in lines:
        if len(words) != 1 or not (words[0].isascii() and words[0].isdecimal()) or len(words[0]) > 12:
            raise UserError(
                f"{path}:{i}: expected a whole number of milliseconds, got '{' '.join(words)[:40]}'"
            )
        times_ms.append(int(words[0]))
        if len(times_ms) > 1 and times_ms[-1] < times_ms[-2]:
            raise UserError(f"{path}:{i}: {times_ms[-1]} ms comes after {times_ms[-2]} ms; times must rise")
    lap_ms = times_ms[-1]
    if lap_ms == 0:
        raise UserError(f"{path}: its last time is 0 ms; the file starts again there, so it must be later")
    # What leaves at the last millisecond leaves at the first of the next lap.
    at_ms_S, count_S = np.unique(
        np.array([0, *(time % lap_ms for time in times_ms)], np.int64), return_counts=True
    )
    count_S[0] -= 1
    return Trace(
        at_ms_S * 1000, np.zeros_like(at_ms_S), count_S * OPPORTUNITY_BITS, lap_ms * 1000, content_hash
    )


def _rates(path: Path, lines: list[tuple[int, list[str]]], content_hash: str) -> Trace:
    at_us: list[int] = []
    rates_bps: list[int] = []
    first_s = 0.0
    for i, words in lines:
        try:
            time_s, rate_mbps = map(float, words)
        except ValueError:
            time_s = rate_mbps = -1.0
        if not (0 <= time_s <= 1e7 and 0 <= rate_mbps <= 1e6):
            shown = " ".join(words)[:40]
            raise UserError(f"{path}:{i}: expected seconds and Mbit/s, such as `1.5 2.25`, got '{shown}'")
        first_s = first_s if at_us else time_s
        at_us.append(round((time_s - first_s) * 1_000_000))
        rates_bps.append(round(rate_mbps * 1_000_000))
        if len(at_us) > 1 and at_us[-1] <= at_us[-2]:
            raise UserError(f"{path}:{i}: {words[0]} s does not come after the line before; times must rise")
    if len(at_us) < 2 or not any(rates_bps):
        raise UserError(f"{path}: expected at least two lines, one with a rate above 0")
    lap_us = at_us[-1] + at_us[-1] // (len(at_us) - 1)
    at_us_S, rate_S = np.array(at_us, np.int64), np.array(rates_bps, np.int64)
    return Trace(at_us_S, rate_S, np.zeros_like(rate_S), lap_us, content_hash)
