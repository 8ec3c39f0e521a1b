"""The ordered recipe: fewer bits where they weigh more, resumable, released in its own order."""

import numpy as np
import pytest
import torch

from fleet_sim.codec.tables import Tables
from trainers import checkpoint
from trainers.local import train_locally
from trainers.ordered import round_through
from trainers.train import CHAIN

ORDERED = {"epochs": 4, "batch": 20, "learning_rate": 0.02, "milestones": (0.9,), "rate_weight": 0.01}


class Interrupted(Exception):
    pass


def silent(stage, done, total, figures):
    pass


@pytest.fixture
def released(scenario, registry, tmp_path):
    """train(work folder, progress, **ordered fields) -> (encoder bundle, heads by name)."""

    def train(work="work", progress=silent, **fields):
        heads = [{"name": kind, "kind": kind} for kind in ("ce", "svm")]
        made_for = scenario(recipe="ordered", ordered=ORDERED | fields, heads=heads)
        ids = train_locally(made_for, CHAIN["ordered"], tmp_path / work, registry.publish, progress)
        return registry.load(ids.encoder), {name: registry.load(id) for name, id in ids.heads.items()}

    return train


def test_more_weight_on_the_rate_gives_fewer_bits(released):
    bits = [
        released(str(weight), epochs=20, rate_weight=weight)[0].manifest["metrics"]["mean_payload_bits_L"][-1]
        for weight in (0.0, 0.05)
    ]
    assert bits[1] < 0.8 * bits[0]


def test_neurons_keep_the_order_in_which_they_were_trained(released):
    encoder, _ = released()
    tables = Tables.from_arrays(encoder.tensors["tables"])
    assert encoder.manifest["recipe"] == "ordered"
    assert np.array_equal(tables.ranking_N, np.arange(8))


def test_the_decoder_that_was_trained_with_the_encoder_is_its_head_as_it_is(released, tmp_path):
    _, heads = released()
    (file,) = (tmp_path / "work").glob("ordered-*.safetensors")
    trained = checkpoint.parse(file.read_bytes(), file).tensors["decoder"]
    head = heads["ce"].tensors["weights"]
    assert set(head) == set(trained)
    assert all(np.array_equal(head[name], tensor.numpy()) for name, tensor in trained.items())


def test_interrupted_training_resumes_to_the_bit(released):
    whole, _ = released("whole")

    def interrupt(now, done, total, figures):
        if (now, done) == ("ordered", 2):
            raise Interrupted

    with pytest.raises(Interrupted):
        released("parts", interrupt)
    seen = []
    resumed, _ = released("parts", lambda *sign: seen.append(sign[:2]))
    assert resumed.id == whole.id
    assert ("ordered", 1) not in seen


def test_rounding_passes_the_gradient_as_it_is():
    latent_BN = torch.tensor([[0.4, 1.5, -2.6]], requires_grad=True)
    rounded_BN = round_through(latent_BN)
    assert rounded_BN.tolist() == [[0.0, 2.0, -3.0]]
    (rounded_BN * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert latent_BN.grad.tolist() == [[1.0, 2.0, 3.0]]
