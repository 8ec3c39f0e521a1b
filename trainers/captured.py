"""A training step that one GPU replays as a whole.

At a batch of 200 a GPU computes faster than a processor can launch the step's hundreds of kernels one by one.
A CUDA graph is launched once: it holds the kernels with the addresses that they read and write, so inputs are
copied to where it reads them.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Update = Callable[..., Tensor]
"""(tensors of one batch) -> figures; what it does on the way, such as an optimiser's step, is the point."""

CALLS_BEFORE_CAPTURE = 3  # torch's advice: libraries set themselves up and optimisers make their buffers


class Captured:
    """`update` on a GPU, captured at its fourth call; every call computes one batch, as `update` would.

    Inputs must keep their shapes, and numbers such as the learning rate are those of the capture. The result
    is overwritten by the next call.
    """

    def __init__(self, update: Update) -> None:
        self._update = update
        self._calls = 0
        self._graph: Any = None
        self._inputs: list[Tensor] = []
        self._output = torch.empty(0)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Compute one batch."""
        self._calls += 1
        if self._calls <= CALLS_BEFORE_CAPTURE:
            return self._aside(inputs)
        if self._graph is None:
            self._inputs = [tensor.clone() for tensor in inputs]
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # records and computes nothing
                self._output = self._update(*self._inputs)
            self._graph = graph
        for held, given in zip(self._inputs, inputs, strict=True):
            held.copy_(given)
        self._graph.replay()
        return self._output

    def _aside(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """On a stream of its own, as the calls before a capture must be."""
        main, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(main)
        with torch.cuda.stream(aside):
            output = self._update(*inputs)
        main.wait_stream(aside)
        return output
