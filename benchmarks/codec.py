"""Messages encoded and decoded a second on one core, and what they cost above the ideal.

`python -m benchmarks.codec`: 64 kept neurons of trained tables, in batches. Every batch is decoded to what
it was made of. Rates are medians over the batches in seconds of the one thread that works, so that neighbours
on the machine count little; those on the wall clock stand beside them.
"""

import json
import time

import numpy as np

from benchmarks.trained import MADE_BY, draw_latents, trained_tables
from fleet_sim.basics.machine import machine
from fleet_sim.codec.message import HEADER_BYTES, decode_batch, encode_batch, ideal_millibits

FRAMES, BATCHES, CONTRACT = 10_000, 20, 0xC0FFEE


def main() -> None:
    tables = trained_tables()
    escape = tables.frequencies_NS.shape[1] - 1
    thread_s, wall_s, overhead_bits, escapes = [], [], [], 0
    for batch in range(BATCHES + 1):  # the first compiles and is not counted
        latent_MN = draw_latents(tables, FRAMES, seed=batch)
        began = _clocks()
        messages = encode_batch(latent_MN, 0, tables, CONTRACT, np.arange(FRAMES))
        encoded = _clocks()
        decoded = decode_batch(messages, tables, CONTRACT)
        ended = _clocks()
        if decoded.refused or not np.array_equal(decoded.latent_MN, latent_MN):
            raise SystemExit("a message was not decoded to what it was made of")
        if batch:
            encode_s, decode_s = encoded - began, ended - encoded
            thread_s.append((encode_s[0], decode_s[0]))
            wall_s.append((encode_s[1], decode_s[1]))
            payload_bits_M = 8 * np.array([len(message) - HEADER_BYTES for message in messages])
            overhead_bits.append(payload_bits_M - ideal_millibits(latent_MN, tables)[:, 0] / 1000)
            escapes += int((tables.coder.symbols(latent_MN) == escape).sum())
    (encodes, decodes), walls = FRAMES / np.median(thread_s, axis=0), FRAMES / np.median(wall_s, axis=0)
    overhead_bits_M = np.concatenate(overhead_bits)
    print(
        json.dumps(
            {
                "benchmark": "codec",
                "encode_messages_per_s": round(encodes),
                "decode_messages_per_s": round(decodes),
                "encode_messages_per_wall_s": round(walls[0]),
                "decode_messages_per_wall_s": round(walls[1]),
                "overhead_bits_mean": round(float(overhead_bits_M.mean()), 3),
                "overhead_bits_standard_error": round(
                    float(overhead_bits_M.std() / len(overhead_bits_M) ** 0.5), 4
                ),
                "payload_bits_mean": round(float(payload_bits_M.mean()), 1),
                "n": FRAMES * BATCHES,
                "batch": FRAMES,
                "kept_neurons": int(tables.ladder_L[0]),
                "features": ["header", "check", "escapes", "sealed payload", f"{escapes} values escaped"],
                "tables": MADE_BY,
                "machine": machine("cpu"),
            }
        )
    )


def _clocks() -> np.ndarray:
    """Seconds of this thread and of the wall clock."""
    return np.array([time.thread_time(), time.perf_counter()])


if __name__ == "__main__":
    main()
