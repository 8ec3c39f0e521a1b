"""The heap in array slices against sorting."""

import heapq

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.network import heap

BASE, ROOM = 3, 30
KEYS = st.lists(st.integers(0, 5), min_size=ROOM, max_size=ROOM)  # few, so that most of them tie


def slices() -> tuple[np.ndarray, np.ndarray]:
    return np.full(ROOM + 2 * BASE, -7, np.int32), np.zeros(ROOM, np.int64)


@given(KEYS, st.permutations(range(ROOM)))
def test_rows_leave_in_sorted_order(keys: list[int], rows: list[int]) -> None:
    slots, key_R = slices()
    key_R[:] = keys
    for size, row in enumerate(rows):
        heap.push(slots, BASE, size, row, key_R)
    left = []
    for size in range(ROOM, 0, -1):
        left.append(slots[BASE])
        heap.drop_top(slots, BASE, size, key_R)
    assert left == sorted(rows, key=lambda row: (keys[row], row))


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["push", "drop", "advance", "sooner"]),
            st.integers(0, ROOM - 1),
            st.integers(0, 50),
        ),
        max_size=60,
    )
)
def test_any_mix_of_operations_keeps_the_least_row_first(operations: list[tuple[str, int, int]]) -> None:
    slots, key_R = slices()
    model: list[tuple[int, int]] = []
    for operation, row, amount in operations:
        inside = any(member == row for _, member in model)
        if operation == "push" and not inside:
            key_R[row] = amount
            heap.push(slots, BASE, len(model), row, key_R)
            heapq.heappush(model, (amount, row))
        elif operation == "drop" and model:
            heap.drop_top(slots, BASE, len(model), key_R)
            heapq.heappop(model)
        elif operation == "advance" and model:
            key, top = model[0]
            key_R[top] = key + amount
            heap.advance_top(slots, BASE, len(model), key_R)
            heapq.heapreplace(model, (key + amount, top))
        elif operation == "sooner" and inside:
            model.remove((key_R[row], row))
            key_R[row] -= amount
            heap.sooner(slots, BASE, len(model) + 1, row, key_R)
            model.append((int(key_R[row]), row))
            heapq.heapify(model)
        if model:
            assert slots[BASE] == model[0][1]
    assert sorted(slots[BASE : BASE + len(model)]) == sorted(row for _, row in model)
    # The neighbours' slices are left alone.
    assert (slots[:BASE] == -7).all()
    assert (slots[BASE + ROOM :] == -7).all()
