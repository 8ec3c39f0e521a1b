"""A replayed step against the same step launched kernel by kernel. Needs a CUDA GPU."""

import pytest
import torch

from fleet_sim.data import load
from trainers import networks
from trainers.captured import CALLS_BEFORE_CAPTURE, Captured
from trainers.sameness import deterministic
from trainers.train import build_stage
from trainers.workers import Workers

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")


def weights_after(spec, captured: bool) -> dict[str, torch.Tensor]:
    data, device = load(spec.data, spec.seed), torch.device("cuda")
    with deterministic(1):
        nets = networks.build(spec, 3, device)
        stage = build_stage(("e2e",), spec, nets, data, Workers(), device)
        if not captured:
            stage.captured = lambda update: update
        for epoch in range(3):
            stage.set_learning_rate(epoch)
            stage.train_epoch(lambda: None)
    return nets.encoder.state_dict()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_replayed_training_gives_the_same_weights_over_a_change_of_learning_rate(scenario, precision):
    spec = scenario(device="cuda", precision=precision)
    assert len(load(spec.data, spec.seed).train_labels_N) // spec.train.e2e.batch > CALLS_BEFORE_CAPTURE
    launched, replayed = weights_after(spec, captured=False), weights_after(spec, captured=True)
    for name, tensor in launched.items():
        assert torch.equal(tensor, replayed[name]), name


def test_a_replay_reads_its_inputs_anew_and_computes_each_call_once():
    total = torch.zeros((), device="cuda")

    def update(x: torch.Tensor) -> torch.Tensor:
        total.add_(x.sum())
        return x * 2

    captured = Captured(update)
    for number in range(1, 8):
        x = torch.full((4,), float(number), device="cuda")
        assert captured(x).tolist() == [2 * number] * 4
    assert float(total) == 4 * sum(range(1, 8))
