"""The counter hash: the same numbers for ever, evenly spread, and unrelated between streams and entities."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from fleet_sim.basics import hashing
from fleet_sim.basics.hashing import canonical_json, draw, draw_below, sha256_hex

WORD = 2**64
MASK = WORD - 1
INT64 = st.integers(0, 2**63 - 1)
BINS = 256
CHI_SQUARE_255_ONE_IN_A_MILLION = 377.1
"""Draws are fixed, so these tests cannot fail by chance: they failed once and for all, or never."""


def mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def slow_draw(seed: int, *parts: int) -> int:
    golden = 0x9E3779B97F4A7C15
    stream, entity, counter = (golden * (part + 1) & MASK for part in parts)
    return mix(mix(mix((seed + stream) & MASK) ^ entity) ^ counter)


@njit
def draws(seed, stream, entity_M, counter_M):
    bits_M = np.empty(len(entity_M), np.uint64)
    for m in range(len(entity_M)):
        bits_M[m] = draw(seed, stream, entity_M[m], counter_M[m])
    return bits_M


def chi_square(value_M: np.ndarray) -> float:
    """Of the top and of the bottom byte against the uniform distribution; the worse of the two."""
    worst = 0.0
    for byte_M in (value_M >> np.uint64(56), value_M & np.uint64(0xFF)):
        count_B = np.bincount(byte_M.astype(np.int64), minlength=BINS)
        expected = len(value_M) / BINS
        worst = max(worst, float(((count_B - expected) ** 2 / expected).sum()))
    return worst


@pytest.mark.parametrize(
    ("key", "bits"),
    [
        ((0, 0, 0, 0), 0xFBE988335F36C931),
        ((1, 1, 0, 0), 0x2FF63E07A6AC2090),
        ((1, 2, 3, 4), 0x2AA1125015958649),
        ((2**63 - 1, 3, 10**8, 12345), 0xF9B513D7C4E7D32B),
    ],
)
def test_known_draws_never_change(key: tuple[int, int, int, int], bits: int) -> None:
    assert int(draw(*key)) == bits == slow_draw(*key)


def test_the_finaliser_is_that_of_splitmix64() -> None:
    # The first output of splitmix64 seeded with 0, as in the authors' test vectors.
    assert mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF


@given(INT64, st.integers(0, 1000), INT64, INT64, INT64.filter(bool))
def test_draws_are_those_of_unbounded_integers(
    seed: int, stream: int, entity: int, counter: int, bound: int
) -> None:
    bits = slow_draw(seed, stream, entity, counter)
    assert int(draw(seed, stream, entity, counter)) == bits
    assert int(draw_below(seed, stream, entity, counter, bound)) == bits * bound // WORD


@pytest.mark.parametrize("stream", [1, 2, 3])
@pytest.mark.parametrize("along", ["entities", "counters", "both"])
def test_draws_are_uniform(stream: int, along: str) -> None:
    number_M = np.arange(100_000)
    nothing_M = np.zeros_like(number_M)
    entity_M = nothing_M if along == "counters" else number_M
    counter_M = nothing_M if along == "entities" else number_M
    assert chi_square(draws(7, stream, entity_M, counter_M)) < CHI_SQUARE_255_ONE_IN_A_MILLION


@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 1, 0, 0), (1, 2, 0, 0)), ((1, 1, 0, 0), (2, 1, 0, 0)), ((1, 1, 0, 0), (1, 1, 1, 0))],
    ids=["streams", "seeds", "entities"],
)
def test_neighbours_are_independent(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    number_M = np.arange(100_000)
    one_M, two_M = (draws(seed, stream, number_M + e, number_M + c) for seed, stream, e, c in (first, second))
    assert chi_square(one_M ^ two_M) < CHI_SQUARE_255_ONE_IN_A_MILLION
    # Under independence the correlation of 100,000 pairs has standard deviation 0.0032.
    assert abs(np.corrcoef(one_M.astype(float), two_M.astype(float))[0, 1]) < 0.016


def test_no_two_entities_or_counters_share_a_draw() -> None:
    entity_M, counter_M = (grid.ravel() for grid in np.meshgrid(np.arange(500), np.arange(500)))
    assert len(np.unique(draws(1, 1, entity_M, counter_M))) == 250_000


def test_every_purpose_has_a_stream_of_its_own() -> None:
    streams = [value for name, value in vars(hashing).items() if name.startswith("STREAM_")]
    assert len(streams) >= 3
    assert len(set(streams)) == len(streams)


def test_a_value_has_one_json_text() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é"}) == '{"a":"é","b":[1,2.5]}'.encode()
    assert canonical_json(json.loads('{ "a":1, "b":2 }')) == canonical_json({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_content_hash_is_sha256() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
