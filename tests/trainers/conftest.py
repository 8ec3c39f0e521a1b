"""A small scenario on made-up images, and a place to publish."""

import numpy as np
import pytest
import torch

from fleet_sim.codec.received import Received
from fleet_sim.registry import Registry
from fleet_sim.scenario.scenario import Scenario


@pytest.fixture
def scenario(tmp_path):
    """make(seed, **train fields) -> Scenario: 150 images of three classes, one epoch or two of each kind."""
    draws = np.random.default_rng(7)
    labels = np.arange(150) % 3
    images = draws.integers(0, 120, (150, 16, 16, 3), dtype=np.uint8)
    for label in range(3):
        images[labels == label, :, :, label] += 130
    path = tmp_path / "images.npz"
    np.savez(
        path,
        train_images=images[:120],
        train_labels=labels[:120],
        test_images=images[120:],
        test_labels=labels[120:],
    )

    def make(seed: int = 1, **train) -> Scenario:
        settings = {
            "e2e": {"epochs": 3, "batch": 20, "learning_rate": 0.05},
            "duphil": {"epochs": 2, "batch": 36, "learning_rate": 0.01, "features": 8},
            "head_training": {"epochs": 2, "batch": 20},
            "threads": 1,
        }
        return Scenario(
            name="small",
            seed=seed,
            data={"source": "npz", "path": path, "image_size": 16},
            codec={"depth": "tiny", "width": 4, "neurons": 8, "ladder": [1, 3, 8], "batch": 16},
            train=settings | train,
            serving={"head": train.get("heads", [{"name": "ce"}])[0]["name"]},
        )

    return make


@pytest.fixture
def received():
    """make(tables) -> Received."""

    def make(tables, most=300):
        """Latents on the other side of where a class lies, at all levels; classes follow each other."""
        draws = np.random.default_rng(3)
        label_M = np.arange(most) % 3
        latent_MN = np.rint(draws.normal(0, 1, (most, 8)) - 9 * np.eye(8)[label_M]).astype(np.int32)
        level_M = (np.arange(most) // 3 % 3).astype(np.int8)
        latent_MN[np.arange(8) >= tables.ladder_L[level_M][:, None]] = 0
        number_M = np.arange(most)
        return Received(
            number_M, number_M.astype(np.int32), number_M.astype(np.int32), level_M, label_M, latent_MN
        )

    return make


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors are done fastest by one thread, most of all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def registry(tmp_path):
    """An empty registry."""
    return Registry(tmp_path / "models")
