"""What the parts of the chain cost: multiply-adds, parameters, bytes of weights, time for one picture."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

REPEATS = 40


def multiply_adds(network: nn.Module, given: Tensor) -> int:
    """Multiply-adds of convolutions and linear layers for one picture, `given` (1, ...), without biases."""
    total = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.ConvTranspose2d):  # each input position meets every tap once
            total += inputs[0].numel() * layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.Conv2d):
            total += output.numel() * layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features

    handles = [layer.register_forward_hook(count) for layer in network.modules()]
    with torch.inference_mode():
        network.eval()(given)
    for handle in handles:
        handle.remove()
    return total


def size(network: nn.Module) -> dict[str, int]:
    """Parameters, and bytes of what is stored (float32, batch statistics included)."""
    stored = sum(t.numel() * t.element_size() for t in network.state_dict().values())
    return {"parameters": sum(p.numel() for p in network.parameters()), "weight_bytes": stored}


def time_us(work: Callable[[], Any]) -> float:
    """Processor microseconds of one call, the median of 40 after one to warm up.

    Time of this thread, so that other work on the machine does not count; run with one torch thread it is the
    latency on an idle machine.
    """
    work()
    taken_ns = []
    for _ in range(REPEATS):
        began_ns = time.thread_time_ns()
        work()
        taken_ns.append(time.thread_time_ns() - began_ns)
    return round(statistics.median(taken_ns) / 1000, 1)
