"""The running histogram costs what a table of the same values does."""

import numpy as np
import pytest
import torch

from trainers.rate import REACH, RunningHistogram
from trainers.workers import Workers

CPU = torch.device("cpu")


def histogram_of(latent_MN):
    histogram = RunningHistogram(latent_MN.shape[1], CPU)
    histogram.set(latent_MN)
    return histogram


def test_mean_bits_of_whole_numbers_are_their_entropy():
    values_MN = torch.tensor([0.0] * 4 + [1.0] * 2 + [-3.0] * 2)[:, None].repeat(512, 2)
    bits = histogram_of(values_MN).bits(values_MN).mean(dim=0)
    assert bits.tolist() == pytest.approx([1.5, 1.5], abs=0.03)  # 0.02 are for values never seen


def test_the_gradient_leads_to_the_likelier_neighbour_by_the_difference_in_bits():
    histogram = histogram_of(torch.tensor([[0.0]] * 8 + [[1.0]] * 2 + [[2.0]] * 4))
    latent_BN = torch.tensor([[0.4], [1.7], [1.0]], requires_grad=True)
    cost_01, cost_12, cost_1 = histogram.bits(latent_BN)[:, 0]
    cost_01.backward(retain_graph=True)
    cost_12.backward(retain_graph=True)
    whole = histogram.bits(torch.tensor([[0.0], [1.0], [2.0]]))[:, 0]
    assert latent_BN.grad[:, 0].tolist() == pytest.approx(
        [float(whole[1] - whole[0]), float(whole[2] - whole[1]), 0.0]
    )
    assert cost_01.item() == pytest.approx(float(0.6 * whole[0] + 0.4 * whole[1]))
    assert cost_1.item() == pytest.approx(float(whole[1]))


@pytest.mark.parametrize("sign", [-1, 1])
def test_beyond_the_reach_each_unit_costs_a_bit_more(sign):
    histogram = histogram_of(torch.zeros(10, 1))
    at_the_end, beyond = histogram.bits(torch.tensor([[sign * float(REACH)], [sign * (REACH + 5.0)]]))[:, 0]
    assert float(at_the_end) > 12
    assert float(beyond - at_the_end) == pytest.approx(5)


def test_old_values_fade():
    histogram = histogram_of(torch.zeros(10, 1))
    for _ in range(300):
        histogram.update(torch.full((4, 1), 3.0), 4, Workers())
    assert float(histogram.mean_N) == pytest.approx(3 * (1 - 0.99**300), rel=1e-4)
    assert float(histogram.share_NV.sum()) == pytest.approx(1, rel=1e-4)


def test_means_are_those_of_the_rounded_values():
    latent_MN = torch.from_numpy(np.random.default_rng(1).normal(2, 3, (500, 4))).float()
    assert torch.allclose(histogram_of(latent_MN).mean_N, latent_MN.round().mean(dim=0), atol=1e-4)


def test_workers_count_for_each_other():
    class Two(Workers):
        size = 2

        def all_reduce_sum(self, tensor):
            return tensor + other_NV

    batch_BN = torch.arange(8.0)[:, None]
    whole, half = histogram_of(torch.zeros(1, 1)), histogram_of(torch.zeros(1, 1))
    other_NV = 4 * histogram_of(batch_BN[4:]).share_NV
    whole.update(batch_BN, 8, Workers())
    half.update(batch_BN[:4], 8, Two())
    assert torch.equal(whole.share_NV, half.share_NV)
