"""A binary heap of (key, row) pairs in two array slices; equal keys leave in order of row.

Each cell keeps its heap in its own slice of arrays that hold all cells, so nothing is allocated on the way.
"""

from fleet_sim.basics.compiled import compiled


@compiled(inline="always")
def _before(key_a, row_a, key_b, row_b):
    return key_a < key_b or (key_a == key_b and row_a < row_b)


@compiled()
def push(keys, rows, base, size, key, row):
    """Add (key, row) to the heap of `size` entries that starts at `base`; the caller counts it."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if not _before(key, row, keys[base + parent], rows[base + parent]):
            break
        keys[base + i] = keys[base + parent]
        rows[base + i] = rows[base + parent]
        i = parent
    keys[base + i] = key
    rows[base + i] = row


@compiled()
def replace_top(keys, rows, base, size, key, row):
    """Put (key, row) in the place of the first entry and let it sink."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        right = child + 1
        if right < size and _before(
            keys[base + right], rows[base + right], keys[base + child], rows[base + child]
        ):
            child = right
        if not _before(keys[base + child], rows[base + child], key, row):
            break
        keys[base + i] = keys[base + child]
        rows[base + i] = rows[base + child]
        i = child
    keys[base + i] = key
    rows[base + i] = row


@compiled()
def drop_top(keys, rows, base, size):
    """Remove the first entry of a heap of `size` >= 1 entries; the caller counts it."""
    last = base + size - 1
    replace_top(keys, rows, base, size - 1, keys[last], rows[last])
