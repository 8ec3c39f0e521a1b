"""The contract between encoder and head."""

import numpy as np
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.contract import contract, contract_hash, contract_id
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables

SPEC = CodecSpec(neurons=8, ladder=(2, 8))


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    return Tables.fit(rng.integers(-4, 5, (300, 8)).astype(np.int32), rng.integers(0, 3, 300), SPEC.ladder)


def test_what_a_head_never_sees_is_not_part_of_it(tables):
    same = CodecSpec(neurons=8, ladder=(2, 8), width=16, depth="tiny", batch=7, noise_half_width=0.5)
    assert contract(same, tables) == contract(SPEC, tables)


def test_every_agreed_thing_changes_the_hash(tables):
    ours = contract_hash(contract(SPEC, tables))
    arrays = tables.to_arrays()
    other = Tables.from_arrays({**arrays, "offset_N": arrays["offset_N"] + 1})
    assert contract_hash(contract(SPEC, other)) != ours
    for change in ({"wavelet": "cdf97"}, {"wavelet_levels": 2}):
        assert contract_hash(contract(SPEC.model_copy(update=change), tables)) != ours


def test_tables_of_another_codec_are_refused(tables):
    with pytest.raises(UserError, match="ladder"):
        contract(CodecSpec(neurons=8, ladder=(1, 8)), tables)


def test_the_id_is_the_first_24_bits_of_the_hash():
    assert contract_id("abcdef99") == 0xABCDEF
