"""Messages: exact at every level, refused when damaged, the same bytes for ever."""

import json
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


@pytest.mark.parametrize("level", LEVELS)
def test_golden_messages_decode(level):
    kept = TABLES.ladder_L[level]
    for text, latent_N, sequence in zip(
        GOLDEN["messages"][level], LATENT_MN, GOLDEN["sequences"], strict=True
    ):
        latent_k, own_level, own_sequence = decode(bytes.fromhex(text), TABLES, CONTRACT)
        np.testing.assert_array_equal(latent_k, latent_N[:kept])
        assert (own_level, own_sequence) == (level, sequence % 4096)


def test_cut_equals_encoding_at_the_lower_level():
    for latent_N in LATENT_MN:
        whole = encode(latent_N, LEVELS[-1], TABLES, CONTRACT, 77)
        for level in LEVELS:
            assert cut(whole, level, TABLES) == encode(latent_N, level, TABLES, CONTRACT, 77)


def test_a_message_cannot_be_raised():
    with pytest.raises(ValueError, match="level 0 cannot be raised"):
        cut(encode(LATENT_MN[0], 0, TABLES, CONTRACT, 0), 1, TABLES)


def test_whole_messages_of_another_contract_are_incompatible():
    message = encode(LATENT_MN[0], 1, TABLES, CONTRACT, 5)
    with pytest.raises(MessageError, match="incompatible") as caught:
        decode(message, TABLES, CONTRACT + 1)
    assert caught.value.reason == "incompatible"


def test_every_flipped_bit_and_every_shortening_is_corrupt():
    message = encode(LATENT_MN[1], 2, TABLES, CONTRACT, 123)
    damaged = [message[:length] for length in range(len(message))]
    for place in range(8 * len(message)):
        flipped = bytearray(message)
        flipped[place // 8] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    for text in damaged:
        with pytest.raises(MessageError, match="corrupt") as caught:
            decode(text, TABLES, CONTRACT)
        assert caught.value.reason == "corrupt"


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
