"""Compiled code is kept for as long as its sources stand, and no longer."""

from pathlib import Path

import numba
import pytest

from fleet_sim.basics.compiled import HOUSE, sources_hash

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
