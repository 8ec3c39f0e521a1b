"""MCR2 against its textbook form, its bounds, and across workers."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.distributed as dist

from trainers.losses import class_scatters, cross_entropy, mcr2, soft_divergence
from trainers.workers import ProcessGroup, Workers

EPSILON_SQUARED = 0.5


def textbook(z_BD: np.ndarray, labels_B: np.ndarray, classes: int) -> float:
    """R_c - R with membership matrices, in float64 (Yu et al. 2020, with d the dimension of z)."""
    n, d = z_BD.shape
    z_DN = z_BD.T.astype(np.float64)
    whole = np.linalg.slogdet(np.eye(d) + d / (n * EPSILON_SQUARED) * z_DN @ z_DN.T)[1] / 2
    by_class = 0.0
    for j in range(classes):
        membership = np.diag((labels_B == j).astype(np.float64))
        trace = np.trace(membership)
        if trace:
            scatter = z_DN @ membership @ z_DN.T
            determinant = np.linalg.slogdet(np.eye(d) + d / (trace * EPSILON_SQUARED) * scatter)[1]
            by_class += trace / (2 * n) * determinant
    return by_class - whole


def unit_vectors(count: int, dimensions: int, seed: int) -> torch.Tensor:
    vectors = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


@pytest.mark.parametrize(("count", "dimensions", "classes"), [(200, 128, 10), (500, 32, 7), (20, 64, 100)])
def test_mcr2_equals_the_textbook_even_with_empty_classes(count, dimensions, classes):
    z_BD = unit_vectors(count, dimensions, 1)
    labels_B = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(2))
    loss = mcr2(z_BD, labels_B, classes, EPSILON_SQUARED, Workers())
    assert float(loss) == pytest.approx(textbook(z_BD.numpy(), labels_B.numpy(), classes), abs=1e-4)


def test_gradient_is_that_of_the_loss_with_an_empty_class():
    labels_B = torch.tensor([0, 2, 2, 0, 2])
    z_BD = unit_vectors(5, 4, 3).double().requires_grad_()
    scatter_KDD, count_K = class_scatters(z_BD, labels_B, 4)
    assert count_K.tolist() == [2, 0, 3, 0]
    assert torch.autograd.gradcheck(lambda z: class_scatters(z, labels_B, 4)[0], z_BD)
    loss = mcr2(z_BD.float(), labels_B, 4, EPSILON_SQUARED, Workers())
    assert torch.isfinite(torch.autograd.grad(loss, z_BD)[0]).all()
    assert torch.allclose(scatter_KDD[2], z_BD[labels_B == 2].T @ z_BD[labels_B == 2])


@pytest.mark.parametrize(("classes", "best"), [(10, 50.83), (100, 66.92)])
def test_orthogonal_isotropic_classes_reach_the_bound(classes, best):
    """d = 128: R is at most 70.31 nats. Of 100 classes some have one axis, some two."""
    axes = torch.eye(128)
    class_of_axis = torch.arange(128) * classes // 128
    z, labels = [], []
    for j in range(classes):
        own = axes[class_of_axis == j]
        # As many samples of each class, spread evenly over its axes.
        z.append(own.repeat(1560 // len(own), 1))
        labels.append(torch.full((len(z[-1]),), j))
    loss = mcr2(torch.cat(z), torch.cat(labels), classes, EPSILON_SQUARED, Workers())
    assert -best <= float(loss) <= -0.97 * best


def test_one_class_has_no_rate_reduction():
    assert float(mcr2(unit_vectors(50, 8, 1), torch.zeros(50, dtype=torch.int64), 3, 0.5, Workers())) == (
        pytest.approx(0, abs=1e-5)
    )


def joint_batch() -> tuple[torch.Tensor, torch.Tensor]:
    return unit_vectors(60, 16, 4), torch.randint(5, (60,), generator=torch.Generator().manual_seed(5))


def print_share_of_a_worker(rank: int, port: int) -> None:
    dist.init_process_group("gloo", store=dist.TCPStore("127.0.0.1", port), rank=rank, world_size=2)
    workers = ProcessGroup(torch.device("cpu"))
    z_BD, labels_B = joint_batch()
    # Unequal shares: class scatters and counts are sums, so it makes no difference.
    mine = slice(0, 23) if rank == 0 else slice(23, 60)
    z_mine = z_BD[mine].requires_grad_()
    loss = mcr2(z_mine, labels_B[mine], 5, EPSILON_SQUARED, workers)
    gradient = torch.autograd.grad(loss, z_mine)[0]
    word = workers.share(b"from worker 0" if rank == 0 else b"")
    print(json.dumps({"loss": float(loss.detach()), "gradient": gradient.tolist(), "word": word.decode()}))
    dist.destroy_process_group()


def test_two_workers_have_loss_and_gradient_of_the_joint_batch():
    z_BD, labels_B = joint_batch()
    z_BD.requires_grad_()
    loss = mcr2(z_BD, labels_B, 5, EPSILON_SQUARED, Workers())
    gradient = torch.autograd.grad(loss, z_BD)[0].numpy()

    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    # This file as a program, since a forked torch hangs and a spawned process cannot import a test.
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(rank), str(store.port)],
            stdout=subprocess.PIPE,
            env=os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    got = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [answer["loss"] for answer in got] == pytest.approx([float(loss.detach())] * 2, abs=1e-5)
    np.testing.assert_allclose(np.concatenate([a["gradient"] for a in got]), gradient, atol=1e-6)
    assert [answer["word"] for answer in got] == ["from worker 0"] * 2


def test_soft_divergence_without_softness_is_cross_entropy():
    logits_BK = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    labels_B = torch.tensor([0, 1, 2, 3, 0, 1])
    assert torch.allclose(soft_divergence(logits_BK, labels_B, 0.0), cross_entropy(logits_BK, labels_B, 6))
    # The most certain right answer is not the best one when targets are soft.
    sure_BK = 50 * torch.nn.functional.one_hot(labels_B, 4).float()
    soft_BK = torch.log(sure_BK / 50 * 0.9 + 0.025)
    assert soft_divergence(soft_BK, labels_B, 0.1) < 1e-6 < soft_divergence(sure_BK, labels_B, 0.1)


if __name__ == "__main__":
    print_share_of_a_worker(int(sys.argv[1]), int(sys.argv[2]))
