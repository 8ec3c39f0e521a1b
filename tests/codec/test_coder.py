"""The entropy coder: exact, short, and deaf to nonsense."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleet_sim.codec.coder import Coder, DecodeError
from fleet_sim.codec.histogram import apportion

INT32 = st.integers(-(2**31), 2**31 - 1)


def random_version(seed, neurons=64, symbols=15, sharpness=0.3):
    rng = np.random.default_rng(seed)
    probability_NS = rng.dirichlet(np.full(symbols, sharpness), size=neurons)
    frequencies_NS = apportion(np.rint(probability_NS * 10**6).astype(np.int64) + 1)
    offset_N = rng.integers(-20, 20, neurons)
    return rng, frequencies_NS, offset_N


def draw_latents(rng, frequencies_NS, offset_N, samples):
    """Latents drawn from the tables themselves; an escape becomes a value outside the support."""
    threshold_NS = np.cumsum(frequencies_NS, axis=1)
    draw_MN1 = rng.integers(0, 4096, (samples, len(offset_N), 1))
    symbols_MN = (draw_MN1 >= threshold_NS).sum(axis=2)
    escaped_MN = symbols_MN == frequencies_NS.shape[1] - 1
    return np.where(escaped_MN, 1000 + symbols_MN, symbols_MN + offset_N).astype(np.int32)


def test_thousands_of_messages_are_exact_and_within_a_byte_of_ideal():
    overheads = []
    for seed in range(8):
        rng, frequencies_NS, offset_N = random_version(seed)
        coder = Coder(frequencies_NS, offset_N)
        latent_MN = draw_latents(rng, frequencies_NS, offset_N, 500)
        kept = int(rng.integers(1, 65))
        symbols_Mk = coder.symbols(latent_MN[:, :kept])
        escapes_M = (symbols_Mk == 14).sum(axis=1)
        ideal_M = 32 * escapes_M - np.log2(frequencies_NS[np.arange(kept), symbols_Mk] / 4096).sum(axis=1)
        payloads = coder.encode(latent_MN[:, :kept])
        for payload, latent_k in zip(payloads, latent_MN[:, :kept], strict=True):
            np.testing.assert_array_equal(coder.decode(payload, kept), latent_k)
        overheads += list(8 * np.array([len(p) for p in payloads]) - ideal_M)
    assert len(overheads) == 4000
    assert np.mean(overheads) < 4
    assert max(overheads) < 16


@settings(max_examples=200, deadline=None)
@given(arrays(np.int32, 24, elements=INT32 | st.integers(-30, 30)), st.integers(0, 2**32), st.integers(1, 24))
def test_any_int32_latent_round_trips_under_any_tables(latent_N, seed, kept):
    _, frequencies_NS, offset_N = random_version(seed, neurons=24, symbols=2 + seed % 40)
    coder = Coder(frequencies_NS, offset_N)
    payload = coder.encode(latent_N[None, :kept])[0]
    np.testing.assert_array_equal(coder.decode(payload, kept), latent_N[:kept])


def test_no_shorter_text_decodes_to_the_same():
    rng, frequencies_NS, offset_N = random_version(3, neurons=6, symbols=5)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 100)
    for payload, latent_N in zip(coder.encode(latent_MN), latent_MN, strict=True):
        if not 1 <= len(payload) <= 2:
            continue
        for number in range(256 ** (len(payload) - 1)):
            shorter = number.to_bytes(len(payload) - 1, "big").rstrip(b"\0")
            assert not np.array_equal(coder.decode(shorter, 6), latent_N)


def test_a_certain_latent_costs_no_byte():
    coder = Coder(np.array([[4095, 1]] * 8), np.zeros(8, np.int64))
    assert coder.encode(np.zeros((1, 8), np.int32)) == [b""]
    np.testing.assert_array_equal(coder.decode(b"", 8), 0)


def test_a_row_of_a_batch_is_coded_as_alone():
    rng, frequencies_NS, offset_N = random_version(4)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 50)
    assert coder.encode(latent_MN) == [coder.encode(latent_N[None])[0] for latent_N in latent_MN]


def test_columns_that_are_not_contiguous_are_coded_alike():
    rng, frequencies_NS, offset_N = random_version(5)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 20)
    assert coder.encode(np.asfortranarray(latent_MN)) == coder.encode(latent_MN)


@pytest.mark.parametrize("payload", [b"\x01\x00", bytes(range(1, 200))])
def test_text_no_encoder_makes_is_refused(payload):
    _, frequencies_NS, offset_N = random_version(6)
    with pytest.raises(DecodeError):
        Coder(frequencies_NS, offset_N).decode(payload, 4)


@given(st.binary(max_size=60))
def test_random_bytes_give_values_or_a_decode_error(payload):
    _, frequencies_NS, offset_N = random_version(7)
    with contextlib.suppress(DecodeError):
        assert Coder(frequencies_NS, offset_N).decode(payload, 16).shape == (16,)
