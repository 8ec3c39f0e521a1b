"""Inference in one fixed, padded batch shape, so that a frame's result does not depend on its company.

Libraries choose their kernels by shape: a batch of another size now and then rounds another way, the same
size with other rows beside does not.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fleet_sim.basics.errors import UserError

BATCHES_AT_ONCE = 4
Given = TypeVar("Given", bound=np.generic)
Made = TypeVar("Made", bound=np.generic)


def in_fixed_batches(
    run: Callable[[NDArray[Given]], NDArray[Made]], rows: NDArray[Given], batch: int
) -> NDArray[Made]:
    """`run` over `rows` (M, ...), always called with exactly `batch` rows; the last are padded with zeros."""
    results = []
    for start in range(0, max(len(rows), 1), batch):
        some = rows[start : start + batch]
        padding = np.zeros((batch - len(some), *rows.shape[1:]), dtype=rows.dtype)
        results.append(run(np.concatenate([some, padding]))[: len(some)])
    return np.concatenate(results)


def few_at_a_time(places_M: NDArray[np.int64], batch: int) -> Iterator[NDArray[np.int64]]:
    """`places_M` in parts of a few whole batches, so that no more images need be held than these."""
    most = BATCHES_AT_ONCE * batch
    return (places_M[start : start + most] for start in range(0, len(places_M), most))


def load_frozen(network: nn.Module, weights: Mapping[str, NDArray[np.generic]], device: str) -> nn.Module:
    """`network` with exactly these weights, in evaluation mode on `device`; UserError if they do not fit."""
    state = {name: torch.tensor(array) for name, array in weights.items()}
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise UserError(f"the weights do not fit the codec settings: {error}") from error
    return network.eval().requires_grad_(False).to(device)
