"""The two phases of DuPHiL touch what they should; the joint loss touches everything."""

from copy import deepcopy

import pytest
import torch

from fleet_sim.data import load
from trainers import networks
from trainers.batches import Batches
from trainers.duphil import Duphil
from trainers.joint import Joint
from trainers.sameness import draws
from trainers.workers import Workers


@pytest.fixture
def stage(scenario):
    """A DuPHiL stage on fresh networks, its learning rate set."""
    spec = scenario()
    data, device = load(spec.data, spec.seed), torch.device("cpu")
    nets = networks.build(spec, 3, device)
    stage = Duphil(spec, nets, Batches(spec, data, 36, draws(1, "test"), Workers(), device), Workers())
    stage.set_learning_rate(0)
    return stage


def snapshot(stage):
    return {
        name: {key: tensor.clone() for key, tensor in network.state_dict().items()}
        for name, network in stage.networks.items()
    }


def changed(before, after):
    return {
        name: {key for key in before[name] if not torch.equal(before[name][key], after[name][key])}
        for name in before
    }


def sums():
    return {name: torch.zeros(()) for name in ("rate", "class_rate", "loss", "accuracy")}


def test_phase_1_trains_encoder_and_side_branch_only(stage):
    before = snapshot(stage)
    stage.phase1(next(stage.batches.epoch()), sums())
    moved = changed(before, snapshot(stage))
    assert moved["encoder"] == set(before["encoder"])
    assert moved["side"] == set(before["side"])
    assert not moved["decoder"]


def test_phase_2_changes_no_tensor_of_the_encoder_batch_statistics_included(stage):
    batch = next(stage.batches.epoch())
    stage.phase1(batch, sums())
    before = snapshot(stage)
    stage.phase2(batch, sums())
    moved = changed(before, snapshot(stage))
    assert not moved["encoder"]
    assert not moved["side"]
    assert moved["decoder"] == set(before["decoder"])


def test_learning_rate_falls_at_the_milestones(stage):
    stage.epochs = 8
    rates = []
    for epoch in range(8):
        stage.set_learning_rate(epoch)
        rates.append(stage.optimisers["encoder"].param_groups[0]["lr"])
    assert rates == pytest.approx([1e-2] * 2 + [1e-3] * 2 + [1e-4] * 2 + [1e-5] * 2)


def test_the_joint_loss_moves_all_three_networks_and_its_weight_matters(scenario):
    def after_an_epoch(weight):
        spec = scenario(joint={"epochs": 1, "batch": 40, "learning_rate": 0.01, "weight": weight})
        data, device = load(spec.data, spec.seed), torch.device("cpu")
        nets = networks.build(spec, 3, device)
        before = {name: deepcopy(getattr(nets, name).state_dict()) for name in ("encoder", "side", "decoder")}
        stage = Joint(spec, nets, Batches(spec, data, 40, draws(1, "test"), Workers(), device), Workers())
        stage.set_learning_rate(0)
        figures = stage.train_epoch(lambda: None)
        for name, state in before.items():
            now = getattr(nets, name).state_dict()
            assert any(not torch.equal(now[key], state[key]) for key in state)
        assert figures["rate"] > figures["class_rate"] > 0
        return nets.encoder.state_dict()["bottleneck.3.weight"]

    assert not torch.equal(after_an_epoch(0.001), after_an_epoch(1.0))
