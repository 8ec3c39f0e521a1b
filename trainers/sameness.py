"""The same bits each time: torch's settings and seeds while training."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from fleet_sim.basics.hashing import sha256_hex

_memory: Any = torch.utils.deterministic  # its settings are properties, which type checkers do not see


@contextmanager
def deterministic(threads: int) -> Iterator[None]:
    """Deterministic algorithms and exactly `threads` torch threads; restores both.

    Thread counts change the order of floating-point sums, so they belong to the result.
    """
    # cuBLAS reads this when it starts; without it torch refuses deterministic matrix products on a GPU.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    threads_before, strict_before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled_before = _memory.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Made for programs that read memory before they write it: a twentieth of the time of a step.
    _memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        _memory.fill_uninitialized_memory = filled_before
        torch.use_deterministic_algorithms(strict_before)
        torch.set_num_threads(threads_before)


def derived_seed(seed: int, purpose: str) -> int:
    """A seed below 2**63 for one purpose; two purposes never share their draws."""
    return int(sha256_hex(f"{seed}/{purpose}".encode())[:16], 16) >> 1


def draws(seed: int, purpose: str) -> torch.Generator:
    """A generator for one purpose. It lives on the CPU, so that draws do not depend on the device."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose))


@contextmanager
def seeded_weights(seed: int, purpose: str) -> Iterator[None]:
    """Within it, fresh layers draw their weights for `purpose`; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(seed, purpose))
        yield
