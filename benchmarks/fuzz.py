"""Millions of damaged messages into the decoder: is any of them answered more often than the check allows?

`python -m benchmarks.fuzz [--n 12000000]`. A quarter each: 1 to 8 flipped bits; a run of bytes cut out; the
head of one message before the tail of another; whole messages of another contract, with other tables. A
mutation that leaves a genuine message is not counted. Beside them, forged messages, random payloads under a
check that fits, show that the coder takes any bytes. Whatever the decoder raises ends the benchmark.
"""

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest

from benchmarks.trained import MADE_BY, draw_latents, trained_tables
from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.hashing import draw, draw_below
from fleet_sim.basics.machine import machine
from fleet_sim.codec.envelope import CONTRACT_BITS, wrap
from fleet_sim.codec.message import decode_batch, encode_batch
from fleet_sim.codec.ragged import Ragged, join, split
from fleet_sim.codec.tables import Tables

LADDER, CONTRACT, CHUNK = (4, 18, 64), 0xC0FFEE, 100_000
CHECK = 2.0**-16


@compiled()
def _flip(bytes_B, start_M, seed, count):
    """Random ones of these messages with 1 to 8 bits flipped: a `Ragged` of `count`."""
    place = np.empty(count, np.int64)
    for m in range(count):
        place[m] = draw_below(seed, 0, m, 0, len(start_M) - 1)
    start = np.zeros(count + 1, np.int64)
    start[1:] = np.cumsum(start_M[place + 1] - start_M[place])
    text_B = np.empty(start[-1], np.uint8)
    for m in range(count):
        text_b = text_B[start[m] : start[m + 1]]
        text_b[:] = bytes_B[start_M[place[m]] : start_M[place[m] + 1]]
        for flip in range(1 + draw_below(seed, 1, m, 0, 8)):
            bit = draw_below(seed, 2, m, flip, 8 * len(text_b))
            text_b[bit // 8] ^= np.uint8(1 << (bit % 8))
    return text_B, start


@compiled()
def _join_parts(bytes_B, start_M, seed, count, same):
    """The head of one random message before the tail of another, or (`same`) of itself with a cut between."""
    start = np.zeros(count + 1, np.int64)
    text_B = np.empty(2 * count * np.max(np.diff(start_M)), np.uint8)
    for m in range(count):
        a = draw_below(seed, 0, m, 0, len(start_M) - 1)
        b = a if same else draw_below(seed, 0, m, 1, len(start_M) - 1)
        head = draw_below(seed, 1, m, 0, start_M[a + 1] - start_M[a])
        first = head + 1 if same else 0
        tail = first + draw_below(seed, 1, m, 1, start_M[b + 1] - start_M[b] + 1 - first)
        head_b = bytes_B[start_M[a] : start_M[a] + head]
        tail_b = bytes_B[start_M[b] + tail : start_M[b + 1]]
        middle = start[m] + len(head_b)
        start[m + 1] = middle + len(tail_b)
        text_B[start[m] : middle] = head_b
        text_B[middle : start[m + 1]] = tail_b
    return text_B[: start[-1]], start


@compiled()
def _noise(seed, count, longest):
    """Random payloads of 0 to `longest` bytes."""
    start = np.zeros(count + 1, np.int64)
    for m in range(count):
        start[m + 1] = start[m] + draw_below(seed, 0, m, 0, longest + 1)
    text_B = np.empty(start[-1], np.uint8)
    for place in range(len(text_B)):
        text_B[place] = draw(seed, 1, 0, place) & np.uint64(0xFF)
    return text_B, start


def _messages(tables: Tables, contract: int) -> list[bytes]:
    latent_MN = draw_latents(tables, 1000, seed=1)
    return [
        message
        for level in range(len(LADDER))
        for message in encode_batch(latent_MN, level, tables, contract, np.arange(1000))
    ]


def _other_tables(tables: Tables) -> Tables:
    """The same neurons in another order: frequencies and offsets of the wrong columns."""
    arrays = tables.to_arrays()
    return Tables.from_arrays(
        {**arrays, **{name: arrays[name][::-1].copy() for name in ("frequencies_NS", "offset_N")}}
    )


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--n", type=int, default=12_000_000, help="mutated messages in all")
    wanted = arguments.parse_args().n
    began = time.perf_counter()
    tables = trained_tables(LADDER)
    originals = _messages(tables, CONTRACT)
    genuine, ragged = set(originals), join(originals)
    strangers = [
        _messages(_other_tables(tables), other % (1 << CONTRACT_BITS))
        for other in [CONTRACT ^ 1 << bit for bit in range(CONTRACT_BITS)]
    ]

    def stranger(seed: int, count: int) -> list[bytes]:
        pool = strangers[seed % len(strangers)]
        return (pool * (count // len(pool) + 1))[:count]

    kinds: dict[str, Callable[[int, int], list[bytes]]] = {
        "flips": lambda seed, count: split(Ragged(*_flip(*ragged, seed, count))),
        "cuts": lambda seed, count: split(Ragged(*_join_parts(*ragged, seed, count, True))),
        "splices": lambda seed, count: split(Ragged(*_join_parts(*ragged, seed, count, False))),
        "wrong_version": stranger,
    }
    mutated, undetected = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0)
    slowest_s = 0.0
    for kind, mutate in kinds.items():
        seed = 0
        while mutated[kind] < wanted / len(kinds):
            seed += 1
            texts = mutate(seed, CHUNK)
            at = time.perf_counter()
            refused = decode_batch(texts, tables, CONTRACT).refused
            slowest_s = max(slowest_s, time.perf_counter() - at)
            answered = [text for row, text in enumerate(texts) if row not in refused]
            unchanged = sum(text in genuine for text in answered)
            mutated[kind] += CHUNK - unchanged
            undetected[kind] += len(answered) - unchanged

    forged = forged_answered = 0
    while forged < wanted / 12:
        payloads = _noise(forged, CHUNK, 40)
        level = forged // CHUNK % len(LADDER)
        texts = split(Ragged(*wrap(*payloads, CONTRACT, level, np.arange(CHUNK))))
        forged_answered += CHUNK - len(decode_batch(texts, tables, CONTRACT).refused)
        forged += CHUNK

    damaged, passed = sum(mutated.values()), sum(undetected.values())
    interval = binomtest(passed, damaged).proportion_ci(0.95, method="exact")
    print(
        json.dumps(
            {
                "benchmark": "fuzz",
                "n": damaged,
                "undetected": passed,
                "undetected_rate": passed / damaged,
                "undetected_rate_interval_95": [interval.low, interval.high],
                "check_rate": CHECK,
                "within_check": interval.low <= CHECK,
                "by_kind": {kind: {"n": mutated[kind], "undetected": undetected[kind]} for kind in kinds},
                "forged": {"n": forged, "answered": forged_answered},
                "slowest_batch_s": round(slowest_s, 2),
                "batch": CHUNK,
                "wall_s": round(time.perf_counter() - began, 1),
                "features": [*kinds, "forged checks", f"levels of {LADDER} neurons"],
                "tables": MADE_BY,
                "machine": machine("cpu"),
            }
        )
    )
    if interval.low > CHECK:
        raise SystemExit("damage passes more often than the check allows")


if __name__ == "__main__":
    main()
