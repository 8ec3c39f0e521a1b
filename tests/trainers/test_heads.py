"""Heads on frozen latents."""

import numpy as np
import pytest
import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.head import LinearHead
from fleet_sim.codec.networks import build_decoder
from fleet_sim.codec.tables import Tables, fill
from fleet_sim.scenario.heads import HeadSpec
from trainers.heads import Latents, TailDrop, fit_head


def latents(classes=3, labels_M=None):
    draws = np.random.default_rng(1)
    labels_M = np.arange(300) % 3 if labels_M is None else labels_M
    latent_MN = np.rint(draws.normal(0, 2, (300, 8)) + 4 * np.eye(8)[labels_M]).astype(np.int32)
    tables = Tables.fit(latent_MN, labels_M, [1, 3, 8])
    return Latents(latent_MN.astype(np.float32), labels_M, classes, tables)


def test_tail_drop_is_what_a_server_fills_in_at_some_level():
    some = latents()
    tail_drop = TailDrop(some.tables, torch.Generator().manual_seed(1), torch.device("cpu"))
    dropped_MN = tail_drop(torch.from_numpy(some.latent_MN)).numpy()
    ranked_MN = some.latent_MN[:, some.tables.ranking_N].astype(np.int32)
    at_level = [fill(ranked_MN[:, :kept], some.tables) for kept in (1, 3, 8)]
    matches_3M = np.array([(filled == dropped_MN).all(axis=1) for filled in at_level])
    assert matches_3M.any(axis=0).all()
    assert (matches_3M.sum(axis=1) > 60).all()


def test_svm_is_the_same_on_a_server_and_never_answers_an_unseen_class(scenario):
    some = latents(classes=5)
    decoder = build_decoder(scenario().codec, 5)
    weights = fit_head(HeadSpec(name="svm", kind="svm"), scenario(), some, decoder, lambda *sign: None)
    ranked_MN = some.latent_MN[:, some.tables.ranking_N].astype(np.int32)
    answers = LinearHead(weights, some.tables).classify(ranked_MN, level=2)
    assert (answers == some.labels_M).mean() > 0.8
    assert set(answers) <= {0, 1, 2}


def test_svm_of_two_classes(scenario):
    some = latents(classes=2, labels_M=np.arange(300) % 2)
    decoder = build_decoder(scenario().codec, 2)
    weights = fit_head(HeadSpec(name="svm", kind="svm"), scenario(), some, decoder, lambda *sign: None)
    ranked_MN = some.latent_MN[:, some.tables.ranking_N].astype(np.int32)
    assert (LinearHead(weights, some.tables).classify(ranked_MN, level=2) == some.labels_M).mean() > 0.8


def test_ce_starts_from_the_stages_decoder_and_leaves_it(scenario):
    some = latents()
    decoder = build_decoder(scenario().codec, 3)
    before = {name: tensor.clone() for name, tensor in decoder.state_dict().items()}
    still = scenario(head_training={"epochs": 1, "batch": 20, "learning_rate": 1e-12})
    weights = fit_head(HeadSpec(name="ce", kind="ce"), still, some, decoder, lambda *sign: None)
    for name, tensor in before.items():
        assert torch.equal(decoder.state_dict()[name], tensor)
        if "running" not in name and "num_batches" not in name:
            np.testing.assert_allclose(weights[name], tensor.numpy(), atol=1e-6)


def test_a_head_of_ones_own_is_fitted_to_pruned_latents_too(scenario, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "import numpy as np\nclass Mine:\n    @staticmethod\n"
        "    def fit(latent_MN, labels_M, classes, seed):\n"
        "        return {'shape': np.array([*latent_MN.shape, *labels_M.shape, classes]), 'x': {bad}}\n"
    )
    spec = HeadSpec(name="mine", kind="own", path=file, class_name="Mine")
    some = latents()
    with pytest.raises(UserError, match=r"Mine\.fit of head 'mine' raised NameError"):
        fit_head(spec, scenario(), some, build_decoder(scenario().codec, 3), lambda *sign: None)
    file.write_text(file.read_text().replace("{bad}", "seed"))
    weights = fit_head(spec, scenario(), some, build_decoder(scenario().codec, 3), lambda *sign: None)
    assert weights["shape"].tolist() == [600, 8, 600, 3]
    assert weights["x"].shape == ()


def test_where_a_file_lay_is_not_recorded(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("class Mine:\n    pass\n")
    spec = HeadSpec(name="mine", kind="own", path=file, class_name="Mine")
    assert spec.recorded() == {"name": "mine", "kind": "own", "label_smoothing": 0.1}


def test_a_head_with_wrong_labels_learns_them_and_the_others_do_not(scenario):
    some = latents()
    ranked_MN = some.latent_MN[:, some.tables.ranking_N].astype(np.int32)
    decoder = build_decoder(scenario().codec, 3)
    for wrong, next_class in ((0.0, 0), (1.0, 1)):
        head = HeadSpec(name="svm", kind="svm", wrong_labels=wrong)
        weights = fit_head(head, scenario(), some, decoder, lambda *sign: None)
        answers = LinearHead(weights, some.tables).classify(ranked_MN, level=2)
        assert (answers == (some.labels_M + next_class) % 3).mean() > 0.8


def test_wrong_labels_are_on_record_and_their_absence_changes_no_older_version():
    assert "wrong_labels" not in HeadSpec(name="svm", kind="svm").recorded()
    assert HeadSpec(name="svm", kind="svm", wrong_labels=0.3).recorded()["wrong_labels"] == 0.3
