"""The two sizes in which everything is reproduced."""

from pathlib import Path
from typing import Any, Literal

from fleet_sim.scenario.scenario import Scenario

Dataset = Literal["cifar10", "cifar100"]
Preset = Literal["cpu", "paper"]

LADDER = (1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 80, 96, 112, 128)
"""Kept neurons along the curves."""

_TRAIN: dict[Preset, dict[str, Any]] = {
    # Tables of one seed within half an hour on two cores.
    "cpu": {
        "e2e": {"epochs": 16, "batch": 200, "learning_rate": 0.05, "milestones": (0.6, 0.85)},
        "duphil": {"epochs": 5, "batch": 1000, "learning_rate": 1e-4, "milestones": (0.5, 0.8)},
        "joint": {"epochs": 5, "batch": 1000, "learning_rate": 1e-3, "milestones": (0.5, 0.8)},
        "ordered": {"epochs": 8, "learning_rate": 0.03, "milestones": (0.5, 0.8), "rate_weight": 0.003},
        "head_training": {"epochs": 6, "tail_drop": False},
        "precision": "bfloat16",
    },
    # The paper's own schedule; its defaults are those of the settings.
    "paper": {"head_training": {"epochs": 60, "tail_drop": False}, "device": "cuda", "precision": "bfloat16"},
}


def scenario(preset: Preset, dataset: Dataset, data_path: Path | None, seed: int) -> Scenario:
    """Settings of one seed. `cpu` has a fourth of the paper's width, and ResNet-18 for CIFAR-100 too."""
    depth = "resnet34" if dataset == "cifar100" and preset == "paper" else "resnet18"
    return Scenario(
        name=f"{preset}-{dataset}",
        seed=seed,
        data={  # type: ignore[arg-type]  # pydantic builds the parts
            "source": dataset,
            "path": data_path,
            "validation_share": 0.1 if preset == "cpu" else 0.02,
        },
        codec={"depth": depth, "width": 16 if preset == "cpu" else 64, "ladder": LADDER},  # type: ignore[arg-type]
        train=_TRAIN[preset],  # type: ignore[arg-type]
    )
