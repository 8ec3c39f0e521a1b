"""Random draws as a counter hash, and content hashes.

A draw depends only on (seed, stream, entity, counter). Whoever asks, in whatever order and on whatever
shard, gets the same number, so results do not depend on how work is divided.
"""

import hashlib
import json
from typing import Any

import numpy as np

from fleet_sim.basics.compiled import compiled

# One stream a purpose: two purposes never share a draw.
STREAM_PHASE = 1
STREAM_SCENE = 2
STREAM_AUDIT = 3
STREAM_GAP = 4
STREAM_EVENT = 5
STREAM_SPREAD = 6
STREAM_CAPACITY = 7
STREAM_LOSS = 8
STREAM_JITTER = 9
STREAM_FADING = 10
STREAM_CHANNEL = 11
STREAM_BACKOFF = 12
STREAM_RAMP = 13
STREAM_VIEW = 14
STREAM_SPLIT = 20
STREAM_ROUTE = 30
STREAM_BLOCK = 40
STREAM_INSTALL = 41
STREAM_LESSON = 60
STREAM_MISTAKE = 61
STREAM_TURN = 45
STREAM_ROLLOUT = 50
STREAM_LABEL = 51
STREAM_WRONG_LABEL = 52
STREAM_SIDE = 53


@compiled(inline="always")
def _mix(x):
    """Finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that mixes well."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled(inline="always")
def draw(seed, stream, entity, counter):
    """64 uniform random bits (uint64) for this counter of this entity in this stream."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    x = _mix(np.uint64(seed) + golden * np.uint64(stream + 1))
    x = _mix(x ^ (golden * np.uint64(entity + 1)))
    return _mix(x ^ (golden * np.uint64(counter + 1)))


@compiled(inline="always")
def draw_below(seed, stream, entity, counter, bound):
    """Uniform integer in [0, bound), bound < 2**63 (int64); bias below bound / 2**64.

    It is the upper half of the 128-bit product of a draw and `bound`, put together from halves of 32 bits.
    """
    bits, low_half = draw(seed, stream, entity, counter), np.uint64(0xFFFFFFFF)
    high, low = bits >> np.uint64(32), bits & low_half
    bound_high, bound_low = np.uint64(bound) >> np.uint64(32), np.uint64(bound) & low_half
    middle = high * bound_low + ((low * bound_low) >> np.uint64(32))
    carried = low * bound_high + (middle & low_half)
    return np.int64(high * bound_high + (middle >> np.uint64(32)) + (carried >> np.uint64(32)))


def sha256_hex(content: bytes) -> str:
    """SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The one JSON text of `value`: sorted keys, no spaces, UTF-8; raises ValueError on NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
