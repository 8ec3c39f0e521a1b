"""A binary heap of rows in an array slice, ordered by a key that lies elsewhere; equal keys by row.

Each cell keeps its heap in its own slice of an array that holds all cells, so nothing is allocated on the
way. A row's key must not change while it is in the heap, but for `advance_top` and `sooner`.
"""

from fleet_sim.basics.compiled import inlined


@inlined()
def _before(key_R, a, b):
    return key_R[a] < key_R[b] or (key_R[a] == key_R[b] and a < b)


@inlined()
def _rise(heap, base, place, row, key_R):
    i = place
    while i > 0:
        parent = (i - 1) >> 1
        if not _before(key_R, row, heap[base + parent]):
            break
        heap[base + i] = heap[base + parent]
        i = parent
    heap[base + i] = row


@inlined()
def push(heap, base, size, row, key_R):
    """Add a row to the heap of `size` rows that starts at `base`; the caller counts it."""
    _rise(heap, base, size, row, key_R)


@inlined()
def sooner(heap, base, size, row, key_R):
    """Put right a row of the heap whose key has become smaller."""
    place = 0
    while place < size and heap[base + place] != row:
        place += 1
    _rise(heap, base, place, row, key_R)


@inlined()
def _sink(heap, base, size, row, key_R):
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and _before(key_R, heap[base + child + 1], heap[base + child]):
            child += 1
        if not _before(key_R, heap[base + child], row):
            break
        heap[base + i] = heap[base + child]
        i = child
    heap[base + i] = row


@inlined()
def advance_top(heap, base, size, key_R):
    """Put right the first row, whose key has become greater."""
    _sink(heap, base, size, heap[base], key_R)


@inlined()
def drop_top(heap, base, size, key_R):
    """Remove the first row of a heap of `size` >= 1 rows; the caller counts it."""
    if size > 1:
        _sink(heap, base, size - 1, heap[base + size - 1], key_R)
