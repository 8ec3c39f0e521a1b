"""Training as a whole: the same to the bit however it is run, and releases that can be used."""

import shutil

import numpy as np
import pytest
import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.camera import FrozenEncoder
from fleet_sim.codec.head import load_head
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.data import load
from fleet_sim.registry.grid import on_grid
from trainers.local import train_locally
from trainers.train import CHAIN, chain_of, train_and_release
from trainers.workers import Workers


class Interrupted(Exception):
    pass


def silent(stage, done, total, figures):
    pass


@pytest.fixture
def released(scenario, registry, tmp_path):
    """train(recipe, work folder, progress, **train fields) -> (encoder bundle, heads by name)."""

    def train(recipe="duphil", work="work", progress=silent, recipe_in_scenario="duphil", **fields):
        made_for = scenario(recipe=recipe_in_scenario, **fields)
        ids = train_locally(made_for, CHAIN[recipe], tmp_path / work, registry.publish, progress)
        return registry.load(ids.encoder), {name: registry.load(id) for name, id in ids.heads.items()}

    return train


def test_training_again_gives_the_same_versions_and_another_seed_does_not(
    scenario, registry, tmp_path, released
):
    encoder, heads = released()
    chain, publish = CHAIN["duphil"], registry.publish
    plain = train_and_release(scenario(), chain, tmp_path / "again", publish, Workers(), silent)
    assert plain.encoder == encoder.id
    assert plain.heads == {name: head.id for name, head in heads.items()}
    other = scenario().model_copy(update={"seed": 2})
    assert train_locally(other, chain, tmp_path / "b", publish, silent).encoder != encoder.id


@pytest.mark.parametrize("alternate", ["batch", "epoch"])
@pytest.mark.parametrize(("stage", "epoch"), [("e2e", 1), ("e2e", 3), ("duphil", 1), ("head kl", 1)])
def test_interrupted_training_resumes_to_the_bit(released, stage, epoch, alternate):
    duphil = {"epochs": 2, "batch": 36, "learning_rate": 0.01, "features": 8, "alternate": alternate}
    whole, _ = released(work="whole", duphil=duphil)

    def interrupt(now, done, total, figures):
        if (now, done) == (stage, epoch):
            raise Interrupted

    with pytest.raises(Interrupted):
        released(work="parts", progress=interrupt, duphil=duphil)
    seen = []
    resumed, _ = released(work="parts", progress=lambda *sign: seen.append(sign[:2]), duphil=duphil)
    assert resumed.id == whole.id
    assert (stage, epoch - 1) not in seen or stage == "head kl"


def test_a_finished_stage_is_not_trained_again_and_its_encoder_is_the_parent(released):
    first, _ = released("e2e", heads=[{"name": "svm", "kind": "svm"}], recipe_in_scenario="e2e")
    signs = []
    second, _ = released(
        "duphil",
        progress=lambda *sign: signs.append(sign[:2]),
        heads=[{"name": "svm", "kind": "svm"}],
        recipe_in_scenario="e2e",
    )
    assert [sign for sign in signs if sign[0] == "e2e"] == [("e2e", 3)]
    assert first.manifest["parent"] is None
    assert second.manifest["parent"] == first.id


def test_a_checkpoint_is_safetensors_and_a_broken_one_is_refused(released, tmp_path):
    released("e2e", heads=[{"name": "svm", "kind": "svm"}])
    (file,) = (tmp_path / "work").glob("*.safetensors")
    assert file.read_bytes()[8:9] == b"{"
    file.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"not a checkpoint.*remove it to train this stage anew"):
        released("e2e")


def test_two_local_workers_agree_with_themselves(released, tmp_path):
    one, _ = released(workers=2)
    shutil.rmtree(tmp_path / "work")
    again, _ = released(workers=2)
    assert one.id == again.id


def test_test_images_do_not_matter(scenario, registry, tmp_path, released):
    encoder, heads = released()
    path = scenario().data.path
    arrays = dict(np.load(path))
    arrays["test_images"] = 255 - arrays["test_images"]
    np.savez(path, **arrays)
    changed, changed_heads = released(work="other")
    for name in ("weights", "tables"):
        for key, array in encoder.tensors[name].items():
            assert np.array_equal(array, changed.tensors[name][key])
    assert heads["ce"].manifest["metrics"] == changed_heads["ce"].manifest["metrics"]


def test_released_heads_read_what_the_released_encoder_sends(scenario, released):
    # Seed 1 draws weights so small a network never leaves: it tells two of the three classes apart.
    encoder, heads = released(seed=2, e2e={"epochs": 30, "batch": 20, "learning_rate": 0.05})
    spec = CodecSpec.model_validate(encoder.manifest["codec"])
    tables = Tables.from_arrays(encoder.tensors["tables"])
    data = load(scenario().data, seed=2)
    latents = FrozenEncoder(spec, encoder.tensors["weights"], tables).latents(data.test_images_NHWC)
    assert set(heads) == {"ce", "kl", "svm"}
    for name, bundle in heads.items():
        assert bundle.manifest["encoder"] == encoder.id
        assert bundle.manifest["head"] == {"name": name, "kind": name}
        assert len(bundle.manifest["metrics"]["validation_accuracy_L"]) == 3
        head = load_head(bundle.manifest, spec, bundle.tensors, tables)
        answers = head.classify(latents, level=2)
        if name != "kl":  # which starts from nothing and has had two epochs
            assert (answers == data.test_labels_N).mean() > 0.9


def test_training_that_diverges_is_the_users_to_mend(released):
    with pytest.raises(UserError, match=r"training diverged: lower train\.e2e\.learning_rate"):
        released(e2e={"epochs": 3, "batch": 20, "learning_rate": 1e30})
    with pytest.raises(UserError, match=r"training diverged: lower train\.duphil\.learning_rate"):
        released(duphil={"epochs": 2, "batch": 20, "learning_rate": 1e30})


def test_low_precision_is_a_recipe_of_its_own_that_learns_and_releases_float32_weights(released):
    e2e = {"epochs": 30, "batch": 20, "learning_rate": 0.05}
    heads = [{"name": "svm", "kind": "svm"}]
    encoder, low_heads = released("e2e", seed=2, precision="bfloat16", e2e=e2e, heads=heads)
    again, _ = released("e2e", work="again", seed=2, precision="bfloat16", e2e=e2e, heads=heads)
    assert again.id == encoder.id
    full, _ = released("e2e", seed=2, e2e=e2e, heads=heads)
    assert full.id != encoder.id
    assert encoder.tensors["weights"]["stem.0.weight"].dtype == np.float32
    assert low_heads["svm"].manifest["metrics"]["validation_accuracy_L"][-1] == 1.0


def test_settings_of_torch_are_put_back(released):
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    released("e2e", heads=[{"name": "svm", "kind": "svm"}])
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before


def test_weights_are_released_on_their_grid_and_without_one_nothing_is_recorded_of_it(released):
    fine, _ = released("e2e", recipe_in_scenario="e2e")
    coarse, _ = released("e2e", recipe_in_scenario="e2e", weight_bits=6)
    assert "weight_bits" not in fine.manifest["train"]
    assert coarse.manifest["train"]["weight_bits"] == 6
    expected = on_grid(fine.tensors["weights"], 6)
    for name, tensor in coarse.tensors["weights"].items():
        np.testing.assert_array_equal(tensor, expected[name])
    assert coarse.manifest["contract_hash"] != fine.manifest["contract_hash"]  # tables are of its own latents


def test_an_update_goes_on_from_the_one_before_also_if_that_is_of_its_own_kind(scenario, registry, tmp_path):
    updates = [{"at_us": "1 s", "recipe": "duphil"}, {"at_us": "2 s", "recipe": "duphil"}]
    heads = [{"name": "svm", "kind": "svm"}]
    assert chain_of(("joint", "ordered", "ordered"), 1) == ("e2e", "joint", "ordered")
    spec, encoders, signs = scenario(recipe="e2e", updates=updates, heads=heads), [], []

    def sign(stage, done, total, figures):
        signs.append((stage, done))

    for version in range(3):
        chain = chain_of(spec.train.recipes, version)
        ids = train_locally(spec, chain, tmp_path / "work", registry.publish, sign)
        encoders.append(registry.load(ids.encoder))
    first, second, third = encoders
    assert [encoder.manifest["parent"] for encoder in encoders] == [None, first.id, second.id]
    assert [encoder.manifest["recipe"] for encoder in encoders] == ["e2e", "duphil", "duphil"]
    assert not all(
        np.array_equal(weights, third.tensors["weights"][name])
        for name, weights in second.tensors["weights"].items()
    )
    epochs = spec.train.duphil.epochs
    # Twice from its first epoch to its last; in between it was there already.
    assert [done for stage, done in signs if stage == "duphil"] == [
        *range(epochs + 1),
        epochs,
        *range(epochs + 1),
    ]
