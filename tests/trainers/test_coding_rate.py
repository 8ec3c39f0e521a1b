"""Coding rates against their textbook form, their bounds, and across workers."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.distributed as dist

from trainers.coding_rate import coding_rates
from trainers.workers import ProcessGroup, Workers

EPSILON_SQUARED = 0.5


def textbook(z_BD: torch.Tensor, labels_B: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """R and R_c with membership matrices, in float64 (Yu et al. 2020, with d the dimension of z)."""
    n, d = z_BD.shape
    z_DN, identity = z_BD.double().T, torch.eye(d, dtype=torch.float64)
    whole = torch.logdet(identity + d / (n * EPSILON_SQUARED) * z_DN @ z_DN.T) / 2
    by_class = torch.zeros((), dtype=torch.float64)
    for j in range(classes):
        membership = torch.diag((labels_B == j).double())
        trace = torch.trace(membership)
        if trace:
            scatter = z_DN @ membership @ z_DN.T
            determinant = torch.logdet(identity + d / (trace * EPSILON_SQUARED) * scatter)
            by_class = by_class + trace / (2 * n) * determinant
    return whole, by_class


def rates(z_BD: torch.Tensor, labels_B: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    return coding_rates(z_BD, labels_B, classes, EPSILON_SQUARED, Workers())


def unit_vectors(count: int, dimensions: int, seed: int) -> torch.Tensor:
    vectors = torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


def random_labels(count: int, classes: int) -> torch.Tensor:
    return torch.randint(classes, (count,), generator=torch.Generator().manual_seed(2))


SHAPES = {
    "classes larger than the dimension": (
        500,
        128,
        torch.cat([torch.zeros(300), torch.ones(200)]),
    ),
    "classes on both sides of the dimension": (700, 64, torch.arange(700) ** 3 // (700**3 // 10)),
    "a few samples of each class, some empty": (20, 64, random_labels(20, 100)),
    "one sample": (1, 16, torch.zeros(1)),
    "one class": (90, 32, torch.full((90,), 4)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rates_and_their_gradients_equal_the_textbook(shape):
    count, dimensions, labels_B = SHAPES[shape]
    labels_B = labels_B.long()
    ours = unit_vectors(count, dimensions, 1).requires_grad_()
    theirs = ours.detach().double().requires_grad_()
    for rate, wanted in zip(rates(ours, labels_B, 101), textbook(theirs, labels_B, 101), strict=True):
        assert float(rate.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
        (gradient,) = torch.autograd.grad(rate, ours, retain_graph=True)
        (wanted_gradient,) = torch.autograd.grad(wanted, theirs)
        error = (gradient - wanted_gradient).norm() / wanted_gradient.norm()
        assert error < 1e-4


def test_the_order_of_samples_does_not_matter():
    z_BD, labels_B = unit_vectors(200, 32, 1), random_labels(200, 7)
    mixed = torch.randperm(200, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(rates(z_BD, labels_B, 7), rates(z_BD[mixed], labels_B[mixed], 7))


def test_values_that_are_not_finite_are_an_error():
    with pytest.raises(torch.linalg.LinAlgError):
        rates(torch.full((6, 4), torch.nan), torch.zeros(6, dtype=torch.int64), 2)


@pytest.mark.parametrize("classes", [8, 16, 128])
def test_orthogonal_isotropic_classes_reach_the_bound(classes):
    """d = 128: R = d/2 ln(1 + 1/eps^2) = 70.31 nats and R_c = d/(2K) ln(1 + K/eps^2), Yu et al.'s optimum."""
    axes_each = 128 // classes
    z_BD = torch.eye(128).repeat(4, 1)
    labels_B = torch.arange(128).repeat(4) // axes_each
    rate, class_rate = rates(z_BD, labels_B, classes)
    assert float(rate) == pytest.approx(64 * math.log(3), rel=1e-5)
    assert float(rate) == pytest.approx(70.31, abs=0.01)
    assert float(class_rate) == pytest.approx(axes_each / 2 * math.log(1 + 2 * classes), rel=1e-5)


@pytest.mark.parametrize(("classes", "best"), [(10, 50.83), (100, 66.92)])
def test_no_balanced_batch_beats_the_bound_and_a_good_one_comes_near(classes, best):
    """Where K does not divide d some classes have one axis more than others."""
    axes = torch.eye(128)
    class_of_axis = torch.arange(128) * classes // 128
    z, labels = [], []
    for j in range(classes):
        own = axes[class_of_axis == j]
        # As many samples of each class, spread evenly over its axes.
        z.append(own.repeat(1560 // len(own), 1))
        labels.append(torch.full((len(z[-1]),), j))
    rate, class_rate = rates(torch.cat(z), torch.cat(labels), classes)
    assert 0.97 * best <= float(rate - class_rate) <= best
    for seed in range(3):
        rate, class_rate = rates(unit_vectors(1000, 128, seed), torch.arange(1000) % classes, classes)
        assert float(class_rate) < float(rate) <= 70.32
        assert float(rate - class_rate) < best


def test_one_class_has_no_rate_reduction():
    rate, class_rate = rates(unit_vectors(50, 8, 1), torch.zeros(50, dtype=torch.int64), 3)
    assert float(rate) == pytest.approx(float(class_rate), abs=1e-5)


def test_no_tensor_has_a_cell_a_class_and_pair_of_samples():
    z_BD, labels_B = unit_vectors(400, 32, 1).requires_grad_(), random_labels(400, 50)
    with torch.profiler.profile(profile_memory=True) as recorded:
        rate, class_rate = rates(z_BD, labels_B, 50)
        torch.autograd.grad(class_rate - rate, z_BD)
    events = recorded.profiler.kineto_results.events()
    allocated = [event.nbytes() for event in events if event.name() == "[memory]"]
    assert sum(nbytes for nbytes in allocated if nbytes > 0) < 50 * 400 * 400 * 4 / 10


def joint_batch() -> tuple[torch.Tensor, torch.Tensor]:
    return unit_vectors(60, 16, 4), torch.randint(5, (60,), generator=torch.Generator().manual_seed(5))


def print_share_of_a_worker(rank: int, port: int) -> None:
    dist.init_process_group("gloo", store=dist.TCPStore("127.0.0.1", port), rank=rank, world_size=2)
    workers = ProcessGroup(torch.device("cpu"))
    z_BD, labels_B = joint_batch()
    # Unequal shares: the samples are gathered, so it makes no difference.
    mine = slice(0, 23) if rank == 0 else slice(23, 60)
    z_mine = z_BD[mine].requires_grad_()
    rate, class_rate = coding_rates(z_mine, labels_B[mine], 5, EPSILON_SQUARED, workers)
    loss = class_rate - rate
    gradient = torch.autograd.grad(loss, z_mine)[0]
    word = workers.share(b"from worker 0" if rank == 0 else b"")
    print(json.dumps({"loss": float(loss.detach()), "gradient": gradient.tolist(), "word": word.decode()}))
    dist.destroy_process_group()


def test_two_workers_have_loss_and_gradient_of_the_joint_batch():
    z_BD, labels_B = joint_batch()
    z_BD.requires_grad_()
    rate, class_rate = rates(z_BD, labels_B, 5)
    loss = class_rate - rate
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


if __name__ == "__main__":
    print_share_of_a_worker(int(sys.argv[1]), int(sys.argv[2]))
