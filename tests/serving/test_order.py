"""Arrivals in order, against sorting them by their keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.basics.errors import RunError
from fleet_sim.serving.order import in_order

# Far from zero, and over any number of digits of the sort.
BEGIN_US = st.sampled_from([0, 1, 10**6, 7 * 86_400 * 10**6])
SPAN_US = st.sampled_from([1, 3, 2047, 2048, 5_000, 2**22, 2**40])


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    messages = draw(st.integers(0, 200))
    arrive_us_M = draw(BEGIN_US) + rng.integers(0, draw(SPAN_US), messages)
    camera_M = rng.integers(0, draw(st.integers(1, 30)), messages).astype(np.int32)
    frame_M = rng.permutation(messages).astype(np.int32)
    return arrive_us_M, camera_M, frame_M, draw(st.integers(1, 7))


@settings(max_examples=500, deadline=None)
@given(arrivals())
def test_messages_are_ordered_by_time_cell_camera_and_frame(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    arrive_us_M, camera_M, frame_M, cells = case
    time_us_M, place_M = in_order(arrive_us_M, camera_M, frame_M, cells)
    keys = [
        (int(arrive_us_M[m]), int(camera_M[m]) % cells, int(camera_M[m]), int(frame_M[m]))
        for m in range(len(arrive_us_M))
    ]
    assert [keys[m] for m in place_M] == sorted(keys)
    assert sorted(place_M.tolist()) == list(range(len(keys)))
    assert time_us_M.tolist() == sorted(arrive_us_M.tolist())


def test_many_messages_in_few_microseconds_are_in_order() -> None:
    rng = np.random.default_rng(1)
    camera_M = np.sort(rng.integers(0, 5_000, 20_000).astype(np.int32))  # of one cell, rising, as they come
    arrive_us_M, frame_M = rng.integers(0, 50, 20_000), np.arange(20_000, dtype=np.int32)
    _, place_M = in_order(arrive_us_M, camera_M, frame_M, 1)
    np.testing.assert_array_equal(place_M, np.lexsort((frame_M, camera_M, arrive_us_M)))


def test_a_span_that_no_word_holds_is_refused_with_what_would_help() -> None:
    arrive_us_M, nobody_M = np.zeros(4, np.int64), np.zeros(4, np.int32)
    arrive_us_M[3] = 2**62
    with pytest.raises(RunError, match=r"lower cluster\.epoch_us"):
        in_order(arrive_us_M, nobody_M, nobody_M, 1)
