"""The heap in array slices against sorting."""

import heapq

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.network import heap

BASE, ROOM = 3, 30
ENTRY = st.tuples(st.integers(0, 5), st.integers(0, 50))  # few keys, so that most of them tie


def slices() -> tuple[np.ndarray, np.ndarray]:
    return np.full(ROOM + 2 * BASE, -7, np.int64), np.full(ROOM + 2 * BASE, -7, np.int64)


@given(st.lists(ENTRY, max_size=ROOM))
def test_entries_leave_in_sorted_order(entries: list[tuple[int, int]]) -> None:
    keys, rows = slices()
    for size, (key, row) in enumerate(entries):
        heap.push(keys, rows, BASE, size, key, row)
    left = []
    for size in range(len(entries), 0, -1):
        left.append((keys[BASE], rows[BASE]))
        heap.drop_top(keys, rows, BASE, size)
    assert left == sorted(entries)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(["push", "drop", "replace"]), ENTRY), max_size=60))
def test_any_mix_of_operations_keeps_the_least_entry_first(
    operations: list[tuple[str, tuple[int, int]]],
) -> None:
    keys, rows = slices()
    model: list[tuple[int, int]] = []
    for operation, (key, row) in operations:
        if operation == "push" and len(model) < ROOM:
            heap.push(keys, rows, BASE, len(model), key, row)
            heapq.heappush(model, (key, row))
        elif operation == "drop" and model:
            heap.drop_top(keys, rows, BASE, len(model))
            heapq.heappop(model)
        elif operation == "replace" and model:
            heap.replace_top(keys, rows, BASE, len(model), key, row)
            heapq.heapreplace(model, (key, row))
        if model:
            assert (keys[BASE], rows[BASE]) == model[0]
    for array in (keys, rows):  # the neighbours' slices are left alone
        assert (array[:BASE] == -7).all()
        assert (array[BASE + ROOM :] == -7).all()
