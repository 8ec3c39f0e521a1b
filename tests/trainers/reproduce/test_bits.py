"""Bits along a curve are those of the messages that a camera sends."""

import numpy as np
import pytest

from fleet_sim.codec.message import HEADER_BYTES, encode_batch
from fleet_sim.codec.tables import Tables
from trainers.reproduce.curve import bits_by_level


def test_payload_bits_are_the_mean_of_real_messages_and_never_below_the_ideal():
    draws = np.random.default_rng(3)
    latent_MN = np.rint(draws.normal(0, [0.3, 1, 2, 4, 8], (500, 5))).astype(np.int32)
    tables = Tables.fit(latent_MN, np.arange(500) % 4, [1, 3, 5])
    ranked_MN = latent_MN[:, tables.ranking_N]
    for level, found in enumerate(bits_by_level(latent_MN, tables)):
        messages = encode_batch(ranked_MN, level, tables, 7, np.arange(500))
        payload_bits_M = 8 * np.array([len(message) - HEADER_BYTES for message in messages])
        assert found["neurons"] == tables.ladder_L[level]
        assert found["payload_bits"] == pytest.approx(payload_bits_M.mean())
        # A payload is sealed to whole bytes, which costs at most one and a half of them.
        assert found["ideal_bits"] < found["payload_bits"] < found["ideal_bits"] + 12
