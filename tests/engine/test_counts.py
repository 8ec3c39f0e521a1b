"""Counts add like numbers, notice a lost frame, and give a latency quantile within its bound."""

from dataclasses import astuple, fields, replace

import numpy as np
import pytest
from engine.fleets import run_engine
from engine.formula import formula_case
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import COLUMNS, DROP_REASONS, LATENCY_EDGES_US, Counts
from fleet_sim.engine.figures import metric_counts, point_figures, quantile_us, ratio, timeline_rows

SHAPE = (2, 3, 1, 4, 3, 2, 2)  # versions, seconds, named cells, cells, servers, groups, heads


@st.composite
def some_counts(draw: st.DrawFn) -> Counts:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Counts(
        *(
            int(rng.integers(0, 2**40)) if np.isscalar(table) else rng.integers(0, 2**40, table.shape)
            for table in astuple(Counts.zero(*SHAPE))
        )
    )


def equal(one: Counts, two: Counts) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(two, f.name)) for f in fields(Counts))


@given(some_counts(), some_counts(), some_counts())
def test_counts_add_like_numbers(one: Counts, two: Counts, three: Counts) -> None:
    assert equal((one + two) + three, one + (two + three))
    assert equal(one + two, two + one)
    assert equal(one + Counts.zero(*SHAPE), one)
    assert not equal(one + two, one)


def test_names_and_numbers_of_columns_agree() -> None:
    for column, name in enumerate(COLUMNS[: c.DROPPED_DEADLINE + 1]):
        assert getattr(c, name.upper()) == column
    assert COLUMNS[c.DROPPED_BUFFER :] == tuple(f"dropped_{reason}" for reason in DROP_REASONS)


@pytest.mark.parametrize("column", ["offered", "answered", *(f"dropped_{reason}" for reason in DROP_REASONS)])
def test_a_lost_or_invented_frame_is_noticed(column: str) -> None:
    counts, _ = run_engine(formula_case())
    counts.check_conservation()
    for amount in (1, -1):
        table = counts.by_second_VSC.copy()
        table[0, 1, COLUMNS.index(column)] += amount
        with pytest.raises(RuntimeError, match="frames got lost"):
            replace(counts, by_second_VSC=table).check_conservation()
    with pytest.raises(RuntimeError, match="frames got lost"):
        replace(counts, in_flight=counts.in_flight - 1).check_conservation()


def test_latency_edges_rise_from_128_us_to_two_hours() -> None:
    assert (np.diff(LATENCY_EDGES_US) > 0).all()
    assert LATENCY_EDGES_US.dtype == np.int64
    assert LATENCY_EDGES_US[0] == 128
    assert LATENCY_EDGES_US[-1] > 2 * 3600 * 10**6
    # The edges are the same on every machine: each is the integer root of an exact power of two.
    for place, edge in enumerate(LATENCY_EDGES_US.tolist()):
        power = 2 ** (7 * c.BINS_AN_OCTAVE + place)
        assert edge**c.BINS_AN_OCTAVE <= power < (edge + 1) ** c.BINS_AN_OCTAVE
    widest = (LATENCY_EDGES_US[1:] / (LATENCY_EDGES_US[:-1] + 1)).max()
    assert widest < 1.045


def binned(latency_us: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(LATENCY_EDGES_US, latency_us), minlength=len(LATENCY_EDGES_US) + 1)


@given(
    st.lists(st.integers(129, 10**9), min_size=1, max_size=300),
    st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_a_quantile_is_numpys_or_up_to_4_5_percent_above(latency: list[int], share: float) -> None:
    exact_us = int(np.quantile(latency, share, method="inverted_cdf"))
    quantile = quantile_us(binned(np.array(latency)), share)
    assert quantile is not None
    assert exact_us <= quantile <= 1.045 * exact_us


def test_quantiles_at_the_rims() -> None:
    assert quantile_us(binned(np.zeros(0, np.int64)), 0.5) is None
    assert quantile_us(binned(np.array([0, 5])), 0.5) == 128
    assert quantile_us(binned(np.array([10**12])), 0.5) == LATENCY_EDGES_US[-1]


def test_ratios_are_rounded_and_nothing_divides_by_nothing() -> None:
    assert ratio(2, 3) == 0.666667
    assert ratio(5, 0) is None


def test_figures_of_a_run_say_what_was_counted() -> None:
    case = formula_case()
    counts, _ = run_engine(case)
    total = dict(zip(COLUMNS, counts.total_C.tolist(), strict=True))
    row = point_figures(counts, case.fleet, pixels=1024)
    assert row["accuracy"] == round(total["right"] / total["answered"], 6)
    assert row["accuracy_on_time"] == round(total["right_on_time"] / total["offered"], 6)
    assert row["bpp_ideal"] == round(total["ideal_millibits"] / 1000 / total["sent"] / 1024, 6)
    assert row["bpp_wire"] == round(total["wire_bits"] / total["sent"] / 1024, 6)
    assert row["link_utilisation"] == round(total["wire_bits"] / (7 * int(5003 * 8.5)), 6)
    assert row["frames_offered"] == (
        total["answered"] + sum(total[f"dropped_{reason}"] for reason in DROP_REASONS) + counts.in_flight
    )
    for name in ("offered", "right_on_time", "latency_us_sum", "dropped_buffer"):
        by_cell = {cell: 0 for cell in (-1, *case.named)}
        for second in timeline_rows(counts, case.named):
            by_cell[int(str(second["cell"]))] += int(str(second[name]))
        assert by_cell[-1] == total[name]
        assert by_cell[3] == counts.cells_KSC[0, :, COLUMNS.index(name)].sum()
    metrics = metric_counts(counts.total_C)
    assert metrics["right_on_time"] + metrics["right_late"] + metrics["wrong"] == total["answered"]
