"""Memory that was freed is used again without asking the system for its pages anew."""

import subprocess
import sys

import pytest

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
