"""Messages encoded and decoded a second on one core, and what they cost above the ideal.

`python -m benchmarks.codec`: 64 kept neurons of trained tables, in batches. Every batch is decoded to what
it was made of. Rates are medians over the batches, with the slowest and the fastest beside them.
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
    encode_s, decode_s, overhead_bits, escapes = [], [], [], 0
    for batch in range(BATCHES + 1):  # the first compiles and is not counted
        latent_MN = draw_latents(tables, FRAMES, seed=batch)
        began = time.perf_counter()
        messages = encode_batch(latent_MN, 0, tables, CONTRACT, np.arange(FRAMES))
        encoded = time.perf_counter()
        decoded = decode_batch(messages, tables, CONTRACT)
        ended = time.perf_counter()
        if decoded.refused or not np.array_equal(decoded.latent_MN, latent_MN):
            raise SystemExit("a message was not decoded to what it was made of")
        if batch:
            encode_s.append(encoded - began)
            decode_s.append(ended - encoded)
            payload_bits_M = 8 * np.array([len(message) - HEADER_BYTES for message in messages])
            overhead_bits.append(payload_bits_M - ideal_millibits(latent_MN, tables)[:, 0] / 1000)
            escapes += int((tables.coder.symbols(latent_MN) == tables.frequencies_NS.shape[1] - 1).sum())
    overhead_bits_M = np.concatenate(overhead_bits)
    print(
        json.dumps(
            {
                "benchmark": "codec",
                "encode_messages_per_s": round(FRAMES / float(np.median(encode_s))),
                "decode_messages_per_s": round(FRAMES / float(np.median(decode_s))),
                "encode_messages_per_s_range": [round(FRAMES / s) for s in (max(encode_s), min(encode_s))],
                "decode_messages_per_s_range": [round(FRAMES / s) for s in (max(decode_s), min(decode_s))],
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


if __name__ == "__main__":
    main()
