"""A stage of training: some networks, their optimisers, and an epoch; with checkpoints after each.

The stages, such as `trainers.e2e` and `trainers.duphil`, say what an epoch does.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from fleet_sim.basics.errors import UserError
from trainers import checkpoint
from trainers.batches import Batches
from trainers.captured import Captured, Update
from trainers.checkpoint import Checkpoint
from trainers.workers import Workers, average_batch_statistics, sum_gradients

Progress = Callable[[str, int, int, dict[str, float]], None]
"""(stage, epochs done, epochs in total, figures): called after each epoch, and within long ones."""

SECONDS_BETWEEN_SIGNS = 5.0


@dataclass(frozen=True)
class Trained:
    """How a stage went: figures of each epoch, and seconds that worker 0 spent, sittings added up.

    On a CPU they are the processor's, so that other work does not count; on a GPU the clock's.
    """

    history: tuple[dict[str, float], ...]
    cpu_s: float


class Stage(ABC):
    """What `run` needs of a stage. `networks` are trained, each by the optimiser of its name."""

    name: str
    epochs: int
    learning_rate: float
    milestones: Sequence[float]

    def __init__(
        self,
        networks: dict[str, nn.Module],
        optimisers: dict[str, torch.optim.SGD],
        batches: Batches,
        workers: Workers,
    ) -> None:
        self.networks, self.optimisers = networks, optimisers
        self.batches, self.workers = batches, workers
        self._captured: tuple[float, Update] | None = None

    def begin(self) -> None:  # noqa: B027  most need nothing
        """Prepare the networks for the first epoch; a stage that goes on from a checkpoint does not."""

    @abstractmethod
    def train_epoch(self, sign: Callable[[], None]) -> dict[str, float]:
        """Train one pass over the images and give its figures. `sign` is called after each batch."""

    def set_learning_rate(self, epoch: int) -> None:
        """A tenth for each milestone (a share of all epochs) that lies behind."""
        behind = sum(epoch >= share * self.epochs for share in self.milestones)
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate * 0.1**behind

    def captured(self, update: Update) -> Update:
        """`update` as it is computed fastest; one and the same stage may pass only one.

        That is by replay on a GPU, unless workers must talk within it; otherwise as it stands. `update` must
        not look at values, since a graph cannot.
        """
        if self.batches.device.type != "cuda" or self.workers.size > 1:
            return update
        rate = next(iter(self.optimisers.values())).param_groups[0]["lr"]
        if self._captured is None or self._captured[0] != rate:
            self._captured = rate, Captured(update)
        return self._captured[1]

    def step(self, network_names: Iterable[str], loss: Tensor) -> None:
        """Follow the gradient of `loss`, this worker's share of it, in these networks only."""
        names = tuple(network_names)
        parameters = [p for name in names for p in self.networks[name].parameters()]
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        sum_gradients(parameters, self.workers)
        for name in names:
            self.optimisers[name].step()

    def mean_figures(self, sums: dict[str, Tensor], batches: int) -> dict[str, float]:
        """Means over `batches` of figures whose sums this worker has its share of."""
        total = self.workers.all_reduce_sum(torch.stack(list(sums.values()))) / batches
        return dict(zip(sums, total.tolist(), strict=True))

    def state(self, history: tuple[dict[str, float], ...], cpu_s: float) -> Checkpoint:
        """All that the rest of the stage depends on."""
        tensors: dict[str, dict[str, Tensor]] = {"random": {"batches": self.batches.generator.get_state()}}
        for name, network in self.networks.items():
            tensors[name] = dict(network.state_dict())
            tensors[f"{name} momentum"] = checkpoint.momentum(network, self.optimisers[name])
        return Checkpoint(history, cpu_s, tensors)

    def restore(self, saved: Checkpoint) -> None:
        """Continue from `saved` as if never interrupted."""
        self.batches.generator.set_state(saved.tensors["random"]["batches"])
        for name, network in self.networks.items():
            network.load_state_dict(saved.tensors[name])
            named = saved.tensors.get(f"{name} momentum", {})
            checkpoint.restore_momentum(network, self.optimisers[name], named)


def run(stage: Stage, file: Path, progress: Progress) -> Trained:
    """Train `stage` to its end, from `file` where it holds a beginning.

    Worker 0 alone reads and writes `file` and reports progress; the others get its state. Raises UserError,
    on every worker, when training diverges.
    """
    workers = stage.workers
    content = workers.share(file.read_bytes() if workers.rank == 0 and file.exists() else b"")
    history: tuple[dict[str, float], ...] = ()
    spent_s = 0.0
    if content:
        saved = checkpoint.parse(content, file)
        stage.restore(saved)
        history, spent_s = saved.history, saved.cpu_s
    else:
        stage.begin()
    clock = time.process_time if stage.batches.device.type == "cpu" else time.perf_counter
    began_s = clock() - spent_s
    last_sign = time.monotonic()

    def report() -> None:
        nonlocal last_sign
        if workers.rank == 0:
            progress(stage.name, len(history), stage.epochs, history[-1] if history else {})
        last_sign = time.monotonic()

    def sign() -> None:
        if time.monotonic() - last_sign > SECONDS_BETWEEN_SIGNS:
            report()

    report()
    while len(history) < stage.epochs:
        stage.set_learning_rate(len(history))
        history += (_finite_epoch(stage, sign),)
        for network in stage.networks.values():
            average_batch_statistics(network, workers)
        spent_s = clock() - began_s
        if workers.rank == 0:
            checkpoint.write(file, stage.state(history, spent_s).to_bytes())
        report()
    return Trained(history, spent_s)


def _finite_epoch(stage: Stage, sign: Callable[[], None]) -> dict[str, float]:
    try:
        figures = stage.train_epoch(sign)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # the scatter of what is not finite has no Cholesky factor
        figures = {"loss": math.nan}
    if not all(map(math.isfinite, figures.values())):
        raise UserError(
            f"training diverged: lower train.{stage.name}.learning_rate ({stage.learning_rate:g})"
        )
    return figures
