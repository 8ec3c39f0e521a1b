"""Traces: what a file says is what a link carries, and a file that says nothing is refused by line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.errors import UserError
from fleet_sim.network.build import link_of
from fleet_sim.network.link import SEGMENTS, WORK_A_BIT, Link
from fleet_sim.network.spec import LinkSpec
from fleet_sim.network.traces import read_trace


def write(folder: Path, text: str) -> Path:
    file = folder / "link.trace"
    file.write_text(text)
    return file


def lap_work(link: Link) -> int:
    """What a lap carries, in work."""
    spans_us = np.diff([*link.at_us_S, link.lap_us])
    return int((spans_us * link.bps_S).sum() + link.burst_work_S.sum())


def link_from(file: Path, scale: float | None = None, budget_bps: int | None = None, **more: object) -> Link:
    fields = {"capacity": {"kind": "trace", "path": file, "scale": scale}, **more}
    return link_of(LinkSpec.model_validate(fields | ({"budget_bps": budget_bps} if budget_bps else {})))


def test_opportunities_become_bursts_at_their_milliseconds(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path, "3\n3\n7\n10\n"))
    assert trace.lap_us == 10_000
    assert trace.at_us_S.tolist() == [0, 3_000, 7_000]
    # The one at 10 ms is the first of the next lap.
    assert trace.burst_bits_S.tolist() == [12_000, 24_000, 12_000]
    assert not trace.rate_bps_S.any()


def test_rates_hold_until_the_next_line_and_the_last_as_long_as_the_others(tmp_path: Path) -> None:
    trace = read_trace(write(tmp_path, "5.0 1.5\n6 0.25\n\n9.0\t2\n"))
    assert trace.at_us_S.tolist() == [0, 1_000_000, 4_000_000]
    assert trace.rate_bps_S.tolist() == [1_500_000, 250_000, 2_000_000]
    assert trace.lap_us == 6_000_000
    assert not trace.burst_bits_S.any()


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.integers(100, 10**6))
def test_a_scaled_trace_carries_its_budget_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, gaps_ms: list[int], budget_bps: int
) -> None:
    times_ms = np.cumsum([*gaps_ms, 1]).tolist()
    file = write(tmp_path_factory.mktemp("trace"), "\n".join(map(str, times_ms)))
    link = link_from(file, budget_bps=budget_bps)
    assert (link.capacity, link.budget_bps) == (SEGMENTS, budget_bps)
    assert lap_work(link) == budget_bps * link.lap_us
    # Equal opportunities stay equal but for what is rounded.
    shares = link.burst_work_S / read_trace(file).burst_bits_S.clip(1)
    assert np.ptp(shares[link.burst_work_S > 0]) <= 2 / 12_000


def test_an_opportunity_carries_1500_bytes_times_the_scale(tmp_path: Path) -> None:
    link = link_from(write(tmp_path, "100\n400\n400\n1000\n"), scale=0.01)
    assert link.burst_work_S.tolist() == [120 * WORK_A_BIT, 120 * WORK_A_BIT, 240 * WORK_A_BIT]
    assert link.budget_bps == 480


def test_scaled_rates_keep_their_mean(tmp_path: Path) -> None:
    link = link_from(write(tmp_path, "0 1\n1 3\n3 2\n"), budget_bps=10_000)
    assert lap_work(link) == pytest.approx(10_000 * link.lap_us, rel=1e-4)
    assert link.bps_S.tolist() == [4_500, 13_500, 9_000]


def test_cells_begin_at_places_of_their_own_unless_told_otherwise(tmp_path: Path) -> None:
    file = write(tmp_path, "1\n2\n8\n")
    assert link_from(file, budget_bps=1000).offset_us == 8_000
    together = {"kind": "trace", "path": file, "offset": "none"}
    assert link_of(LinkSpec.model_validate({"capacity": together})).offset_us == 1


REFUSED = {
    "": "F: is empty",
    "1\n2\nx\n": "F:3: expected a whole number of milliseconds, got 'x'",
    "1\n2\n\n1\n": "F:4: 1 ms comes after 2 ms; times must rise",
    "1\n1.5\n": "F:2: expected a whole number of milliseconds, got '1.5'",
    "0\n0\n": "F: its last time is 0 ms",
    "1 2\n2\n": "F:2: expected seconds and Mbit/s, such as `1.5 2.25`, got '2'",
    "1 2\n1 3\n": "F:2: 1 s does not come after the line before",
    "1 2\n2 -3\n": "F:2: expected seconds and Mbit/s",
    "1 2\n2 nan\n": "F:2: expected seconds and Mbit/s",
    "1 2 3\n": "F:1: expected seconds and Mbit/s",
    "1 0\n2 0\n": "F: expected at least two lines, one with a rate above 0",
    "1 5\n": "F: expected at least two lines",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_file_that_is_no_trace_is_refused_by_line(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_trace(file)
    assert str(caught.value).replace(str(file), "F").startswith(REFUSED[text])


@given(st.binary(max_size=80))
def test_any_bytes_are_a_trace_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("trace") / "any"
    file.write_bytes(content)
    try:
        trace = read_trace(file)
    except UserError:
        return
    assert (np.diff([*trace.at_us_S, trace.lap_us]) > 0).all()
    assert trace.at_us_S[0] == 0


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    first = read_trace(write(tmp_path, "1\n2\n"))
    second = read_trace(write(tmp_path, "1\n2\n3\n"))
    assert (first.lap_us, second.lap_us) == (2_000, 3_000)
    assert first.content_hash != second.content_hash


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file; a trace is one of Mahimahi's"):
        read_trace(tmp_path / "absent")
    with pytest.raises(UserError, match="cannot be read"):
        read_trace(tmp_path)
