"""Where a stage stands after an epoch, as one safetensors file; never a pickle.

Tensors are named GROUP/NAME; what is not a tensor is JSON in the file's own metadata. A file appears whole or
not at all: it is written beside its place, flushed and renamed.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from fleet_sim.basics.errors import UserError


@dataclass(frozen=True)
class Checkpoint:
    """Weights with batch statistics, momentum and random state (`tensors`) after some epochs."""

    history: tuple[dict[str, float], ...]
    """Figures of each epoch."""
    cpu_s: float
    """Processor time that this worker has spent on them."""
    tensors: dict[str, dict[str, Tensor]]

    @property
    def epochs_done(self) -> int:
        """Finished epochs."""
        return len(self.history)

    def result(self) -> "Checkpoint":
        """Only what later stages and heads read: no momentum, no random state."""
        kept = {n: t for n, t in self.tensors.items() if n != "random" and not n.endswith(" momentum")}
        return Checkpoint(self.history, self.cpu_s, kept)

    def to_bytes(self) -> bytes:
        """The file's content."""
        flat = {
            f"{group}/{name}": tensor.detach().cpu().contiguous()
            for group, named in self.tensors.items()
            for name, tensor in named.items()
        }
        state = json.dumps({"history": self.history, "cpu_s": self.cpu_s}, sort_keys=True)
        content: bytes = safetensors.torch.save(flat, metadata={"state": state})
        return content

    @classmethod
    def from_bytes(cls, content: bytes) -> "Checkpoint":
        """The checkpoint that `to_bytes` wrote; raises ValueError for anything else."""
        try:
            flat = safetensors.torch.load(content)
            header_bytes = int.from_bytes(content[:8], "little")
            state = json.loads(json.loads(content[8 : 8 + header_bytes])["__metadata__"]["state"])
            history, cpu_s = tuple(state["history"]), state["cpu_s"]
        except (safetensors.SafetensorError, KeyError) as error:
            raise ValueError(f"not a checkpoint: {error}") from error
        tensors: dict[str, dict[str, Tensor]] = {}
        for name, tensor in flat.items():
            group, _, rest = name.partition("/")
            tensors.setdefault(group, {})[rest] = tensor
        return cls(history, cpu_s, tensors)


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def parse(content: bytes, path: Path) -> Checkpoint:
    """The checkpoint in `content`, read from `path`; raises UserError where it is something else."""
    try:
        return Checkpoint.from_bytes(content)
    except ValueError as error:
        raise UserError(f"{path}: {error}; remove it to train this stage anew") from error


def momentum(network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Momentum of each parameter of `network` that has any yet, by name."""
    return {
        name: buffer
        for name, parameter in network.named_parameters()
        if (buffer := optimiser.state[parameter].get("momentum_buffer")) is not None
    }


def restore_momentum(
    network: torch.nn.Module, optimiser: torch.optim.Optimizer, named: dict[str, Tensor]
) -> None:
    """Put back what `momentum` gave."""
    for name, parameter in network.named_parameters():
        if name in named:
            # In the parameter's own layout, so that both are updated in one sweep.
            optimiser.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(named[name])
