"""The digest of a run: a hash of its merged counts and of what they depend on."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fleet_sim.basics.hashing import canonical_json
from fleet_sim.engine.air import AIR_COLUMNS, FIRST_AIR_COLUMNS
from fleet_sim.engine.counts import COLUMNS, FIRST_COLUMNS, Counts


def digest(depends_on: dict[str, Any], points: Iterable[Counts]) -> str:
    """SHA-256 in hex over the canonical JSON of `depends_on` and every point's counts, in order.

    Rows of named cells are left out: which cells are shown changes nothing. A column that came after the
    first ones enters, by its name, only where something was counted in it.
    """
    hasher = hashlib.sha256(canonical_json(depends_on))
    for counts in points:
        by_second_VSC = counts.by_second_VSC
        tables = [by_second_VSC[..., :FIRST_COLUMNS], counts.latency_VB, counts.wire_bits_by_cell]
        if len(counts.groups_GSC):
            tables.append(counts.groups_GSC[..., :FIRST_COLUMNS])
        if counts.watched_GWQ.size:
            tables.append(counts.watched_GWQ)
        if counts.air_VGSQ.size:
            tables.append(counts.air_VGSQ[..., :FIRST_AIR_COLUMNS])
        if counts.answers_GVHS3.size:
            tables += [counts.answers_GVHS3, counts.events_E4]
        for array in tables:
            hasher.update(canonical_json(list(array.shape)))
            hasher.update(np.ascontiguousarray(array, "<i8").tobytes())
        for name, column in _later_columns(counts):
            if column.any():
                hasher.update(canonical_json(name))
                hasher.update(np.ascontiguousarray(column, "<i8").tobytes())
        hasher.update(canonical_json(counts.in_flight))
    return hasher.hexdigest()


def _later_columns(counts: Counts) -> Iterator[tuple[str, np.ndarray]]:
    for place, name in enumerate(COLUMNS[FIRST_COLUMNS:], start=FIRST_COLUMNS):
        yield name, counts.by_second_VSC[..., place]
    for place, name in enumerate(AIR_COLUMNS[FIRST_AIR_COLUMNS:], start=FIRST_AIR_COLUMNS):
        yield name, counts.air_VGSQ[..., place]
