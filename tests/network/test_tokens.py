"""Token buckets: how they fill, and when a packet may leave, against exact counting."""

from fractions import Fraction
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st
from network.cell import Cell
from network.plain import HEADER_BYTES, HORIZON_US, PLAIN

from fleet_sim.network.capacity import tokens_at
from fleet_sim.network.link import TOKENS, WORK_A_BIT

DAY_US = 86_400_000_000


@given(
    st.integers(1, 8 * 10**9),
    st.integers(1, 10**11),
    st.floats(0, 1),
    st.integers(0, DAY_US),
    st.integers(0, 7 * DAY_US),
)
def test_a_bucket_fills_to_its_brim(
    bucket_bits: int, token_bps: int, part: float, since_us: int, for_us: int
) -> None:
    link = PLAIN._replace(capacity=TOKENS, bucket_bits=bucket_bits, token_bps=token_bps)
    brim = bucket_bits * WORK_A_BIT
    tokens = int(brim * Fraction(part))
    assert tokens_at(link, tokens, since_us, since_us + for_us) == min(brim, tokens + for_us * token_bps)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 300_000)), min_size=1, max_size=40),
    st.integers(800, 5000),
    st.integers(100, 300),
)
def test_a_packet_leaves_once_there_are_tokens_for_it(
    offers: list[tuple[int, int]], token_bps: int, bucket_bytes: int
) -> None:
    link = PLAIN._replace(capacity=TOKENS, bps=9973, token_bps=token_bps, bucket_bits=8 * bucket_bytes)
    cell = Cell(1, link)
    brim = tokens = 8 * bucket_bytes * WORK_A_BIT
    now_us, as_of_us, exact_us, expected = 0, 0, Fraction(0), []
    for size, gap_us in offers:
        now_us += gap_us
        cell.offer(now_us, 0, size)
        work = 8 * (size + HEADER_BYTES) * WORK_A_BIT
        # The line is free at the microsecond after its last packet; it goes on from the very end if it can.
        free_us = max(now_us, ceil(exact_us))
        filled = min(brim, tokens + (free_us - as_of_us) * token_bps)
        begin_us = free_us + max(0, ceil(Fraction(work - filled, token_bps)))
        exact_us = (exact_us if begin_us == ceil(exact_us) >= now_us else begin_us) + Fraction(work, 9973)
        tokens = min(brim, tokens + (begin_us - as_of_us) * token_bps) - work
        as_of_us = begin_us
        expected.append(ceil(exact_us))
    cell.advance(HORIZON_US)
    assert [message.end_us for message in cell.out] == expected
