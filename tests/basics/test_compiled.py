"""Compiled code is kept for as long as its sources stand, and no longer."""

import pickle
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest

from fleet_sim.basics.compiled import HOUSE, read_only, sources_hash

FILES = {
    "engine/step.py": "@compiled()\ndef step(): ...",
    "engine/counts.py": "SENT = 1",
    "report/html.py": "TITLE = 'fleet'",
}


def house(folder: Path, **changed: str) -> Path:
    for name, text in {**FILES, **changed}.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("changed", "stands"),
    [
        ({}, True),
        ({"report/html.py": "TITLE = 'cameras'"}, True),
        ({"engine/step.py": "@compiled()\ndef step(): pass"}, False),
        ({"engine/counts.py": "SENT = 2"}, False),
        ({"engine/more.py": ""}, False),
        ({"report/html.py": "@compiled()\ndef page(): ..."}, False),
        ({"report/html.py": "@bare()\ndef page(): ..."}, False),
        ({"report/html.py": "@inlined()\ndef page(): ..."}, False),
        ({"report/html.py": "# compiled() is for the engine"}, True),
    ],
)
def test_a_change_in_a_room_with_compiled_code_starts_a_new_cache(
    tmp_path: Path, changed: dict[str, str], stands: bool
) -> None:
    before = sources_hash(house(tmp_path / "before"))
    assert (sources_hash(house(tmp_path / "after", **changed)) == before) is stands


def test_the_cache_is_that_of_these_sources() -> None:
    assert Path(numba.config.CACHE_DIR).name == f"numba-{sources_hash(HOUSE)}"


class Inner(NamedTuple):
    values: np.ndarray


class Outer(NamedTuple):
    inner: Inner
    number: int
    more: np.ndarray


def test_what_steps_take_is_of_one_type_whether_shared_memory_or_a_copy() -> None:
    ours = Outer(Inner(np.arange(3)), 7, np.zeros((2, 2)))
    copied = pickle.loads(pickle.dumps(read_only(ours)))
    assert copied.inner.values.flags.writeable
    assert numba.typeof(copied) != numba.typeof(read_only(ours))
    assert numba.typeof(read_only(copied)) == numba.typeof(read_only(ours))
    assert read_only(ours).number == 7
    assert ours.more.flags.writeable
    assert np.shares_memory(read_only(ours).more, ours.more)
