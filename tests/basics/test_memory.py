"""Freed memory is used again without asking for its pages anew; what is free is read off the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from fleet_sim.basics import memory

ROUNDS, ARRAYS, BYTES, PAGE_BYTES = 10, 20, 3_000_000, 4096
FAULTS = f"""
import resource, sys
import numpy as np
from fleet_sim.basics.memory import keep_memory

if sys.argv[1] == "kept":
    keep_memory()
def work():
    held = [np.zeros({BYTES}, np.int8) for _ in range({ARRAYS})]
    for array in held:
        array[:] = 1

work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    asked = [sys.executable, "-c", FAULTS, how]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is of glibc")
def test_kept_memory_takes_no_page_faults() -> None:
    pages = ROUNDS * ARRAYS * BYTES // PAGE_BYTES
    assert faults("kept") < 0.02 * pages
    assert faults("as it is") > 0.5 * pages


def machine(monkeypatch: pytest.MonkeyPatch, root: Path, **files: str) -> None:
    """A machine that says this in its files; `_` stands for a dot in their names."""
    monkeypatch.setattr(memory, "_MEMINFO", root / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", root)
    for name, content in files.items():
        (root / name.replace("_", ".")).write_text(content)


MEMINFO = "MemTotal:       8000 kB\nMemFree:  10 kB\nMemAvailable:   5000 kB\nHugePages_Total:  0\n"


def test_free_memory_is_what_the_machine_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine(monkeypatch, tmp_path, meminfo=MEMINFO, memory_max="max\n")
    assert memory.free_bytes() == 5_120_000


def test_a_container_has_less_but_its_cached_files_give_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held = "anon 700000\nfile 250000\nshmem 50000\n"
    machine(monkeypatch, tmp_path, meminfo=MEMINFO, memory_max="1000000\n", memory_stat=held)
    assert memory.free_bytes() == 250_000


def test_nothing_is_known_of_a_machine_that_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine(monkeypatch, tmp_path)
    assert memory.free_bytes() is None
