"""Messages: exact at every level, refused when damaged, the same bytes for ever."""

import binascii
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.codec.message import (
    HEADER_BYTES,
    MessageError,
    cut,
    decode,
    decode_batch,
    encode,
    encode_batch,
    ideal_millibits,
)
from fleet_sim.codec.tables import Tables

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "messages.json").read_text())
CONTRACT = GOLDEN["contract_id"]
LEVELS = range(len(GOLDEN["tables"]["ladder_L"]))


def golden_tables():
    arrays = {name: np.array(rows, dtype=np.int64) for name, rows in GOLDEN["tables"].items()}
    return Tables.from_arrays({**arrays, "fill_N": arrays["fill_N"].astype(np.float32)})


TABLES = golden_tables()
LATENT_MN = np.array(GOLDEN["latents"], dtype=np.int32)


def test_golden_messages_are_reproduced_to_the_byte():
    for level in LEVELS:
        messages = encode_batch(LATENT_MN, level, TABLES, CONTRACT, GOLDEN["sequences"])
        assert [m.hex() for m in messages] == GOLDEN["messages"][level]


def test_ten_thousand_messages_have_their_golden_digest():
    # Enough that every turn of the range coder is taken: carries into earlier words, escapes, empty payloads.
    row_M1, neuron_N = np.arange(10_000)[:, None], np.arange(TABLES.neurons)
    spread_MN = (row_M1 * 7919 + neuron_N * 104729 + row_M1 * row_M1 * (neuron_N + 3)) % 10_007
    place_MN = np.where(spread_MN < 200, 500 * spread_MN, spread_MN % 23)
    latent_MN = (TABLES.offset_N + place_MN).astype(np.int32)
    messages = [
        message
        for level in LEVELS
        for message in encode_batch(latent_MN[level::4], level, TABLES, CONTRACT, np.arange(2_500))
    ]
    assert sha256(b"".join(messages)).hexdigest() == GOLDEN["ten_thousand_digest"]
    decoded = decode_batch(messages, TABLES, CONTRACT)
    assert not decoded.refused
    for level in LEVELS:
        kept = TABLES.ladder_L[level]
        found_MN = decoded.latent_MN[decoded.level_M == level, :kept]
        np.testing.assert_array_equal(found_MN, latent_MN[level::4, :kept])


def test_golden_tables_have_the_same_name_everywhere():
    assert TABLES.digest() == GOLDEN["tables_digest"]


@given(st.integers(0, 2**24 - 1), st.integers(0, 2**40), st.sampled_from(LEVELS), st.integers(0, 13))
def test_the_header_is_as_documented(contract_id, sequence, level, row):
    message = encode(LATENT_MN[row], level, TABLES, contract_id, sequence)
    fields, check, payload = message[:3], message[3:5], message[5:]
    assert fields == bytes([contract_id >> 16]) + (level << 12 | sequence % 4096).to_bytes(2, "big")
    assert check == binascii.crc_hqx(fields + payload, contract_id & 0xFFFF).to_bytes(2, "big")
    assert payload == bytes.fromhex(GOLDEN["messages"][level][row])[HEADER_BYTES:]
    assert HEADER_BYTES == 5


@pytest.mark.parametrize("level", LEVELS)
def test_golden_messages_decode(level):
    kept = TABLES.ladder_L[level]
    for text, latent_N, sequence in zip(
        GOLDEN["messages"][level], LATENT_MN, GOLDEN["sequences"], strict=True
    ):
        latent_k, own_level, own_sequence = decode(bytes.fromhex(text), TABLES, CONTRACT)
        np.testing.assert_array_equal(latent_k, latent_N[:kept])
        assert (own_level, own_sequence) == (level, sequence % 4096)


def test_a_batch_of_every_level_decodes_as_one_by_one():
    messages = [bytes.fromhex(text) for level in LEVELS for text in GOLDEN["messages"][level]]
    latent_MN, level_M, sequence_M, refused = decode_batch(messages, TABLES, CONTRACT)
    assert not refused
    for m, message in enumerate(messages):
        latent_k, level, sequence = decode(message, TABLES, CONTRACT)
        np.testing.assert_array_equal(latent_MN[m, : len(latent_k)], latent_k)
        assert not latent_MN[m, len(latent_k) :].any()
        assert (level_M[m], sequence_M[m]) == (level, sequence)


def test_a_damaged_message_in_a_batch_is_refused_alone():
    messages = encode_batch(LATENT_MN, 2, TABLES, CONTRACT, GOLDEN["sequences"])
    foreign = encode(LATENT_MN[5], 2, TABLES, CONTRACT ^ 1 << 20, 5)
    batch = [messages[0], messages[1][:-1], foreign, b"", messages[4]]
    latent_MN, _, _, refused = decode_batch(batch, TABLES, CONTRACT)
    assert {row: error.reason for row, error in refused.items()} == {
        1: "corrupt",
        2: "incompatible",
        3: "corrupt",
    }
    assert not latent_MN[[1, 2, 3]].any()
    np.testing.assert_array_equal(latent_MN[[0, 4], :5], LATENT_MN[[0, 4], :5])


def test_no_message_is_no_latent():
    assert encode_batch(LATENT_MN[:0], 1, TABLES, CONTRACT, []) == []
    assert decode_batch([], TABLES, CONTRACT).latent_MN.shape == (0, TABLES.neurons)


def test_cut_equals_encoding_at_the_lower_level():
    for latent_N in LATENT_MN:
        whole = encode(latent_N, LEVELS[-1], TABLES, CONTRACT, 77)
        for level in LEVELS:
            assert cut(whole, level, TABLES, CONTRACT) == encode(latent_N, level, TABLES, CONTRACT, 77)


def test_a_message_cannot_be_raised():
    with pytest.raises(ValueError, match="level 0 cannot be raised"):
        cut(encode(LATENT_MN[0], 0, TABLES, CONTRACT, 0), 1, TABLES, CONTRACT)


@pytest.mark.parametrize("bit", range(24))
def test_whole_messages_of_another_contract_are_never_answered(bit):
    for latent_N, sequence in zip(LATENT_MN, GOLDEN["sequences"], strict=True):
        message = encode(latent_N, 1, TABLES, CONTRACT ^ 1 << bit, sequence)
        with pytest.raises(MessageError) as caught:
            decode(message, TABLES, CONTRACT)
        assert caught.value.reason == ("incompatible" if bit >= 16 else "corrupt")


def test_a_contract_id_has_24_bits():
    with pytest.raises(ValueError, match="24 bits"):
        encode(LATENT_MN[0], 0, TABLES, 1 << 24, 0)


def test_latents_and_sequence_numbers_must_be_as_many():
    with pytest.raises(ValueError, match="14 latents"):
        encode_batch(LATENT_MN, 0, TABLES, CONTRACT, [1, 2])


def test_every_damage_that_a_crc_promises_to_find_is_found():
    # x^16 + x^12 + x^5 + 1 finds any one, two or odd number of flipped bits and any burst of up to 16.
    message = encode(LATENT_MN[1], 2, TABLES, CONTRACT, 123)
    number, bits = int.from_bytes(message, "big"), 8 * len(message)
    masks = [1 << a | 1 << b for a in range(bits) for b in range(a + 1)]
    rng = np.random.default_rng(0)
    masks += [sum(1 << int(place) for place in rng.permutation(bits)[:odd]) for odd in range(3, bits, 2)]
    for length in range(3, 17):
        inner = int(rng.integers(0, 1 << length)) | 1 | 1 << (length - 1)
        masks += [inner << place for place in range(bits - 8 * HEADER_BYTES - length + 1)]
    damaged = [(number ^ mask).to_bytes(len(message), "big") for mask in masks]
    damaged += [message[:length] for length in range(len(message))]
    refused = decode_batch(damaged, TABLES, CONTRACT).refused
    assert len(refused) == len(damaged)
    first_byte_is_whole = [row for row, text in enumerate(damaged) if text[:1] in (b"", message[:1])]
    assert {refused[row].reason for row in first_byte_is_whole} == {"corrupt"}


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_fuzzed_messages_are_refused_or_answered_but_never_crash(data):
    level = data.draw(st.sampled_from(LEVELS))
    text = bytearray(encode(LATENT_MN[0], level, TABLES, CONTRACT, 9))
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    text[start:stop] = data.draw(st.binary(max_size=40))
    try:
        latent_k, own_level, _ = decode(bytes(text), TABLES, CONTRACT)
    except MessageError:
        return
    assert len(latent_k) == TABLES.ladder_L[own_level]


def test_a_level_off_the_ladder_is_refused_on_both_sides():
    with pytest.raises(ValueError, match="not on the ladder"):
        encode(LATENT_MN[0], len(LEVELS), TABLES, CONTRACT, 0)
    longer = Tables.from_arrays(
        {
            **TABLES.to_arrays(),
            "ladder_L": TABLES.ladder_L[:1],
            "mean_payload_bits_L": TABLES.mean_payload_bits_L[:1],
        }
    )
    with pytest.raises(MessageError, match="not on the ladder"):
        decode(encode(LATENT_MN[0], 2, TABLES, CONTRACT, 0), longer, CONTRACT)


def test_a_latent_shorter_than_its_level_is_refused():
    with pytest.raises(ValueError, match="keeps"):
        encode(LATENT_MN[0, :2], LEVELS[-1], TABLES, CONTRACT, 0)


def test_ideal_millibits_are_what_the_payload_costs():
    ideal_ML = ideal_millibits(LATENT_MN, TABLES)
    assert ideal_ML.dtype == np.int64
    for level in LEVELS:
        messages = encode_batch(LATENT_MN, level, TABLES, CONTRACT, GOLDEN["sequences"])
        payload_bits_M = np.array([8 * (len(m) - HEADER_BYTES) for m in messages])
        overhead_bits_M = payload_bits_M - ideal_ML[:, level] / 1000
        assert (overhead_bits_M < 16).all()
        assert -8 < overhead_bits_M.mean() < 8


def test_ideal_millibits_by_hand():
    arrays = {
        "ranking_N": np.array([0, 1]),
        "frequencies_NS": np.array([[2048, 1024, 1024], [4000, 95, 1]]),
        "offset_N": np.array([0, 0]),
        "fill_N": np.zeros(2, np.float32),
        "mean_payload_bits_L": np.array([1, 2]),
        "ladder_L": np.array([1, 2]),
    }
    ideal_ML = ideal_millibits(np.array([[1, -9]], np.int32), Tables.from_arrays(arrays))
    np.testing.assert_array_equal(ideal_ML, [[2000, 2000 + 12000 + 32000]])
