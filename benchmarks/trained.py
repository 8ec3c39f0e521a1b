"""Tables that a real training gave, and latents as those tables say they come.

`trained_tables.json` says what it was made by; it holds no image and no weight.
"""

import json
from pathlib import Path

import numpy as np

from fleet_sim.codec.coder import TOTAL
from fleet_sim.codec.tables import Tables

FILE = Path(__file__).with_name("trained_tables.json")
MADE_BY: str = json.loads(FILE.read_text())["made_by"]


def trained_tables(ladder: tuple[int, ...] = (64,)) -> Tables:
    """The tables of 64 neurons in ranked order, with this ladder."""
    stored = json.loads(FILE.read_text())
    neurons = len(stored["offset_N"])
    return Tables(
        ranking_N=np.arange(neurons),
        frequencies_NS=np.array(stored["frequencies_NS"]),
        offset_N=np.array(stored["offset_N"]),
        fill_N=np.zeros(neurons, np.float32),
        mean_payload_bits_L=np.zeros(len(ladder), np.int64),
        ladder_L=np.array(ladder),
    )


def draw_latents(tables: Tables, frames: int, seed: int) -> np.ndarray:
    """Ranked latents (frames, N) int32 with the tables' frequencies; an escape is any value of 32 bits."""
    rng = np.random.default_rng(seed)
    below_NS = np.cumsum(tables.frequencies_NS, axis=1)
    place_NM = rng.integers(0, TOTAL, (tables.neurons, frames))
    symbol_MN = np.stack(
        [np.searchsorted(*column, side="right") for column in zip(below_NS, place_NM, strict=True)], axis=1
    )
    anything_MN = rng.integers(-(2**31), 2**31, symbol_MN.shape)
    escaped_MN = symbol_MN == tables.frequencies_NS.shape[1] - 1
    return np.where(escaped_MN, anything_MN, symbol_MN + tables.offset_N).astype(np.int32)
