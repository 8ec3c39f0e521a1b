"""The entropy coder: exact, short, and deaf to nonsense."""

import constriction
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleet_sim.codec.coder import Coder
from fleet_sim.codec.histogram import apportion
from fleet_sim.codec.ragged import join, split

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


def sealed_plainly(frequencies_NS, symbols_k):
    """The shortest payload of symbols without escapes, in whole numbers of any size: a second opinion."""
    encoder = constriction.stream.queue.RangeEncoder()
    model = constriction.stream.model.Categorical(perfect=False)
    encoder.encode(symbols_k.astype(np.int32), model, (frequencies_NS / 4096).astype(np.float32))
    words, (lower, width) = encoder.pos()
    closed = encoder.get_compressed().astype(">u4").tobytes().ljust(4 * words + 8, b"\0")
    whole = int.from_bytes(closed, "big")
    assert (whole - lower) % 2**64 < width  # what constriction closes with lies inside
    bottom = whole - (whole - lower) % 2**64
    for zero_bits in range(8 * len(closed), -1, -8):
        number = -(-bottom >> zero_bits) << zero_bits
        if number < bottom + width:
            return number.to_bytes(len(closed), "big").rstrip(b"\0")
    raise AssertionError("an interval holds a whole number")


def one(coder, payload, kept):
    """The values of one payload, which must not be refused."""
    latent_MN, refused = coder.decode(join([payload]), np.array([kept]))
    assert not refused
    assert not latent_MN[0, kept:].any()
    return latent_MN[0, :kept]


def test_payloads_are_the_shortest_that_whole_numbers_give():
    for seed in range(5):
        rng, frequencies_NS, offset_N = random_version(seed, neurons=32, sharpness=0.05 + seed / 10)
        symbols_MN = rng.integers(0, 14, (2000, 32))
        payloads = split(Coder(frequencies_NS, offset_N).encode((symbols_MN + offset_N).astype(np.int32)))
        for payload, symbols_N in zip(payloads, symbols_MN, strict=True):
            assert payload == sealed_plainly(frequencies_NS, symbols_N)


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
        decoded_MN, refused = coder.decode(payloads, np.full(500, kept))
        assert not refused
        np.testing.assert_array_equal(decoded_MN[:, :kept], latent_MN[:, :kept])
        overheads += list(8 * np.diff(payloads.start_M) - ideal_M)
    assert len(overheads) == 4000
    assert np.mean(overheads) < 4
    assert max(overheads) < 16


@settings(max_examples=200, deadline=None)
@given(arrays(np.int32, 24, elements=INT32 | st.integers(-30, 30)), st.integers(0, 2**32), st.integers(1, 24))
def test_any_int32_latent_round_trips_under_any_tables(latent_N, seed, kept):
    _, frequencies_NS, offset_N = random_version(seed, neurons=24, symbols=2 + seed % 40)
    coder = Coder(frequencies_NS, offset_N)
    payload = split(coder.encode(latent_N[None, :kept]))[0]
    np.testing.assert_array_equal(one(coder, payload, kept), latent_N[:kept])


def test_payloads_of_many_levels_decode_together():
    rng, frequencies_NS, offset_N = random_version(8)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 100)
    kept_M = rng.integers(1, 65, 100)
    payloads = join([split(coder.encode(row[None, :k]))[0] for row, k in zip(latent_MN, kept_M, strict=True)])
    decoded_MN, refused = coder.decode(payloads, kept_M)
    assert not refused
    np.testing.assert_array_equal(decoded_MN, np.where(np.arange(64) < kept_M[:, None], latent_MN, 0))


def test_no_shorter_text_decodes_to_the_same():
    rng, frequencies_NS, offset_N = random_version(3, neurons=6, symbols=5)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 100)
    for payload, latent_N in zip(split(coder.encode(latent_MN)), latent_MN, strict=True):
        if not 1 <= len(payload) <= 2:
            continue
        for number in range(256 ** (len(payload) - 1)):
            shorter = number.to_bytes(len(payload) - 1, "big").rstrip(b"\0")
            assert not np.array_equal(one(coder, shorter, 6), latent_N)


def test_a_certain_latent_costs_no_byte():
    coder = Coder(np.array([[4095, 1]] * 8), np.zeros(8, np.int64))
    assert split(coder.encode(np.zeros((1, 8), np.int32))) == [b""]
    np.testing.assert_array_equal(one(coder, b"", 8), 0)


def test_a_row_of_a_batch_is_coded_as_alone():
    rng, frequencies_NS, offset_N = random_version(4)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 50)
    alone = [split(coder.encode(latent_N[None]))[0] for latent_N in latent_MN]
    assert split(coder.encode(latent_MN)) == alone


def test_columns_that_are_not_contiguous_are_coded_alike():
    rng, frequencies_NS, offset_N = random_version(5)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 20)
    assert split(coder.encode(np.asfortranarray(latent_MN))) == split(coder.encode(latent_MN))


@pytest.mark.parametrize("payload", [b"\x01\x00", bytes(range(1, 200))])
def test_text_no_encoder_makes_is_refused_alone(payload):
    rng, frequencies_NS, offset_N = random_version(6)
    coder = Coder(frequencies_NS, offset_N)
    latent_MN = draw_latents(rng, frequencies_NS, offset_N, 2)
    first, second = split(coder.encode(latent_MN[:, :4]))
    decoded_MN, refused = coder.decode(join([first, payload, second]), np.full(3, 4))
    assert list(refused) == [1]
    assert "shortest form" in refused[1]
    np.testing.assert_array_equal(decoded_MN[:, :4], [latent_MN[0, :4], [0] * 4, latent_MN[1, :4]])


@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 16))
def test_random_bytes_give_values_or_a_reason(payloads, kept):
    _, frequencies_NS, offset_N = random_version(7)
    decoded_MN, refused = Coder(frequencies_NS, offset_N).decode(join(payloads), np.full(len(payloads), kept))
    assert decoded_MN.shape == (len(payloads), 64)
    assert not decoded_MN[list(refused)].any()


def test_no_payload_is_no_latent():
    _, frequencies_NS, offset_N = random_version(9)
    coder = Coder(frequencies_NS, offset_N)
    assert split(coder.encode(np.zeros((0, 64), np.int32))) == []
    assert coder.decode(join([]), np.zeros(0, np.int64)).latent_MN.shape == (0, 64)
