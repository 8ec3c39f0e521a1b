"""MCR2 forward and backward against its textbook form: time, exactness, memory.

    python -m benchmarks.mcr2

The textbook form, as in the public codes of MCR2, has a dense K x N x N membership tensor and a `logdet` a
class. d = 128, N = 1000, one thread. Times are medians of processor seconds over `n` calls of each, in turns.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.profiler import profile

from fleet_sim.basics.machine import machine
from trainers.coding_rate import coding_rates
from trainers.workers import Workers

SAMPLES, DIMENSIONS, EPSILON_SQUARED = 1000, 128, 0.5
TIMES = 7

Loss = Callable[[Tensor, Tensor, int], Tensor]


def textbook(z_ND: Tensor, labels_N: Tensor, classes: int) -> Tensor:
    """R_c - R with a dense membership tensor."""
    n, d = z_ND.shape
    z_DN, identity = z_ND.T, torch.eye(d, dtype=z_ND.dtype)
    membership_KNN = torch.zeros(classes, n, n, dtype=z_ND.dtype)
    membership_KNN[labels_N, torch.arange(n), torch.arange(n)] = 1
    loss = -torch.logdet(identity + d / (n * EPSILON_SQUARED) * z_DN @ z_DN.T) / 2
    for membership_NN in membership_KNN:
        trace = torch.trace(membership_NN) + 1e-8
        scatter = z_DN @ membership_NN @ z_DN.T
        loss = loss + trace / (2 * n) * torch.logdet(identity + d / (trace * EPSILON_SQUARED) * scatter)
    return loss


def ours(z_ND: Tensor, labels_N: Tensor, classes: int) -> Tensor:
    """R_c - R as training computes it."""
    rate, class_rate = coding_rates(z_ND, labels_N, classes, EPSILON_SQUARED, Workers())
    return class_rate - rate


def step(loss: Loss, z_ND: Tensor, labels_N: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Loss and gradient."""
    z_ND = z_ND.detach().requires_grad_()
    value = loss(z_ND, labels_N, classes)
    return value.detach(), torch.autograd.grad(value, z_ND)[0]


def peak_mb(work: Callable[[], object]) -> float:
    """Most memory that torch held at once for what `work` allocated, in MB."""
    with profile(profile_memory=True) as recorded:
        work()
    events = [e for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"]  # type: ignore[union-attr]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak / 1e6


def measure(classes: int) -> dict[str, Any]:
    """Figures of one number of classes, drawn at random over them."""
    generator = torch.Generator().manual_seed(classes)
    z_ND = torch.nn.functional.normalize(torch.randn(SAMPLES, DIMENSIONS, generator=generator), dim=1)
    labels_N = torch.randint(classes, (SAMPLES,), generator=generator)
    exact_loss, exact_gradient = step(textbook, z_ND.double(), labels_N, classes)
    loss, gradient = step(ours, z_ND, labels_N, classes)
    seconds: dict[str, list[float]] = {"textbook": [], "ours": []}
    for _ in range(TIMES):
        for name, form in (("textbook", textbook), ("ours", ours)):
            began = time.process_time()
            step(form, z_ND, labels_N, classes)
            seconds[name].append(time.process_time() - began)
    median = {name: statistics.median(times) for name, times in seconds.items()}
    errors = [(loss - exact_loss).abs() / exact_loss.abs()]
    errors.append((gradient - exact_gradient).norm() / exact_gradient.norm())
    return {
        "speedup": median["textbook"] / median["ours"],
        "ms": 1e3 * median["ours"],
        "error": max(map(float, errors)),
        "peak_mb": peak_mb(lambda: step(ours, z_ND, labels_N, classes)),
    }


def main() -> None:
    """Print the JSON line."""
    torch.set_num_threads(1)
    few, many = measure(10), measure(100)
    result = {
        "benchmark": "mcr2",
        "speedup_k10": round(few["speedup"], 1),
        "speedup_k100": round(many["speedup"], 1),
        "ms_k10": round(few["ms"], 2),
        "ms_k100": round(many["ms"], 2),
        "max_rel_error": float(f"{max(few['error'], many['error']):.2e}"),
        "peak_mb_k100": round(many["peak_mb"], 1),
        "n": TIMES,
        "machine": machine("cpu"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
