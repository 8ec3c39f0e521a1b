"""Data parallelism as training sees it: sums over workers.

Every worker draws the whole global batch and computes its own share. Losses are normalised by the global
batch and gradients are *summed*, so that several workers compute what one would. Batch normalisation alone
differs: it uses each worker's own share.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

# Worker 0 fits the heads while the others wait for its word: hours, on a processor.
PATIENCE_S = 7 * 86_400


class Workers:
    """One worker on its own; `ProcessGroup` is the same for several."""

    rank = 0
    size = 1

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """`tensor`, in place, summed over workers; bitwise the same on each of them."""
        return tensor

    def share(self, content: bytes) -> bytes:
        """What worker 0 passes, on every worker."""
        return content


class ProcessGroup(Workers):
    """This process's place in torch's default process group, whose tensors live on `device`."""

    def __init__(self, device: torch.device) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self._device = device

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """`tensor`, in place, summed over workers; bitwise the same on each of them."""
        dist.all_reduce(tensor)
        return tensor

    def share(self, content: bytes) -> bytes:
        """What worker 0 passes, on every worker."""
        length = torch.tensor(len(content) if self.rank == 0 else 0, device=self._device)
        count = int(self.all_reduce_sum(length))
        buffer = torch.zeros(count, dtype=torch.uint8, device=self._device)
        if self.rank == 0 and count:
            buffer.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        return self.all_reduce_sum(buffer).cpu().numpy().tobytes()


class _RowsOfAllWorkers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows_BD: Tensor, mine: slice, count: int, workers: Workers) -> Tensor:
        ctx.mine = mine
        rows_ND = rows_BD.new_zeros(count, *rows_BD.shape[1:])
        rows_ND[mine] = rows_BD
        return workers.all_reduce_sum(rows_ND)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        return gradients[0][ctx.mine], None, None, None


def gather_over_workers(z_BD: Tensor, labels_B: Tensor, workers: Workers) -> tuple[Tensor, Tensor]:
    """Samples of all workers, differentiable, with their labels: z_ND, labels_N. Shares may be of any size.

    Each worker computes the same loss from the same z_ND, and so the same dL/dz_ND; its own rows of that are
    its share of the gradient. Shares are *summed* over workers afterwards (`sum_gradients`), which gives
    dL/dtheta. A backward that summed too would give it `size` times over.
    """
    if workers.size == 1:
        return z_BD, labels_B
    size_W = torch.zeros(workers.size, dtype=torch.int64, device=z_BD.device)
    size_W[workers.rank] = len(z_BD)
    end_W = workers.all_reduce_sum(size_W).cumsum(0)
    mine, count = slice(int(end_W[workers.rank]) - len(z_BD), int(end_W[workers.rank])), int(end_W[-1])
    labels_N = labels_B.new_zeros(count)
    labels_N[mine] = labels_B
    z_ND: Tensor = _RowsOfAllWorkers.apply(z_BD, mine, count, workers)  # type: ignore[no-untyped-call]
    return z_ND, workers.all_reduce_sum(labels_N)


def sum_gradients(parameters: list[torch.nn.Parameter], workers: Workers) -> None:
    """Replace each gradient by its sum over workers, in one message."""
    if workers.size == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = workers.all_reduce_sum(torch.cat([g.flatten() for g in gradients]))
    for gradient, summed in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(summed.view_as(gradient))


def average_batch_statistics(network: torch.nn.Module, workers: Workers) -> None:
    """Replace running means and variances by their mean over workers, so that all hold the same."""
    if workers.size == 1:
        return
    for name, buffer in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            workers.all_reduce_sum(buffer).div_(workers.size)
