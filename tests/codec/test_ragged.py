"""Byte strings end to end and apart again."""

from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.codec.ragged import join, split


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_what_is_joined_is_split_again(strings):
    ragged = join(strings)
    assert split(ragged) == strings
    assert ragged.bytes_B.tobytes() == b"".join(strings)
    assert len(ragged.start_M) == len(strings) + 1
