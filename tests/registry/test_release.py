"""Taking a release over: only one that fits, whole or not at all, and with a word where it differs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fleet_sim.registry import Registry, RegistryError
from fleet_sim.registry.release import Wanted, adopt

WANTED = Wanted(
    recipe="e2e",
    seed=1,
    codec={"width": 4, "batch": 16},
    train={"epochs": 1},
    content_hash="abc",
    classes=10,
    heads=["ce", "svm"],
)


def release(root: Path, head_contract: str = "f00d", **changes: object) -> str:
    registry = Registry(root)
    manifest = {
        "recipe": "e2e",
        "seed": 1,
        "codec": {"width": 4, "batch": 64},
        "train": {"epochs": 1},
        "data": {"content_hash": "abc"},
        "classes": 10,
        "contract_hash": "f00d",
        **changes,
    }
    encoder = registry.publish("encoder", manifest, {"weights": {"w": np.zeros(2)}})
    for name in ("ce", "svm"):
        head = {"head": {"name": name}, "encoder": encoder, "contract_hash": head_contract}
        registry.publish("head", head, {"weights": {"w": np.ones(2)}})
    return encoder


def taken(source: Path, target: Path, wanted: Wanted = WANTED) -> tuple[str, list[str]]:
    notes: list[str] = []
    encoder, heads = adopt(source, wanted, Registry(target).publish, notes.append)
    assert sorted(heads) == ["ce", "svm"]
    return encoder, notes


def test_ids_stay_and_another_batch_shape_is_no_matter(tmp_path: Path) -> None:
    encoder = release(tmp_path / "old")
    assert taken(tmp_path / "old", tmp_path / "new") == (encoder, [])
    assert {v.id for v in Registry(tmp_path / "new").list()} == {
        v.id for v in Registry(tmp_path / "old").list()
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"seed": 2}, "another seed"),
        ({"train": {"epochs": 9}}, "settings"),
        ({"data": {"content_hash": "x"}}, "images"),
    ],
)
def test_a_release_trained_otherwise_is_taken_with_a_word(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    encoder = release(tmp_path / "old", **changes)
    taken_encoder, notes = taken(tmp_path / "old", tmp_path / "new")
    assert taken_encoder == encoder
    assert word in notes[0]


def test_of_two_the_one_trained_as_wanted_is_taken(tmp_path: Path) -> None:
    release(tmp_path / "old", seed=2)
    mine = release(tmp_path / "old")
    assert taken(tmp_path / "old", tmp_path / "new") == (mine, [])
    with pytest.raises(RegistryError, match="has 0 encoders"):
        taken(tmp_path / "old", tmp_path / "new", replace(WANTED, seed=3))


def test_a_head_of_another_contract_is_refused(tmp_path: Path) -> None:
    release(tmp_path / "old", head_contract="beef")
    with pytest.raises(RegistryError, match=r"head ce .* made for contract beef, encoder .* has f00d"):
        taken(tmp_path / "old", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_does_not_fit_is_refused_and_nothing_is_published(tmp_path: Path) -> None:
    encoder = release(tmp_path / "old")
    with pytest.raises(RegistryError, match="no folder"):
        taken(tmp_path / "nowhere", tmp_path / "new")
    release(tmp_path / "run" / "models")
    with pytest.raises(RegistryError, match=r"did you mean .*models"):
        taken(tmp_path / "run", tmp_path / "new")
    for other in (
        replace(WANTED, classes=3),
        replace(WANTED, codec={"width": 8}),
        replace(WANTED, heads=["kl"]),
    ):
        with pytest.raises(RegistryError):
            taken(tmp_path / "old", tmp_path / "new", other)
    head = next(v.id for v in Registry(tmp_path / "old").list() if v.kind == "head")
    file = tmp_path / "old" / head[:16] / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    with pytest.raises(RegistryError):
        taken(tmp_path / "old", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert encoder


def test_of_updates_of_one_recipe_each_is_that_of_its_parent(tmp_path: Path) -> None:
    first = release(tmp_path / "old", recipe="duphil", parent="ab" * 32, step=1)
    second = release(tmp_path / "old", recipe="duphil", parent=first, step=2)
    wanted = replace(WANTED, recipe="duphil")
    for number, (parent, encoder) in enumerate([("ab" * 32, first), (first, second)]):
        found, _ = taken(tmp_path / "old", tmp_path / str(number), replace(wanted, parent=parent))
        assert found == encoder
    with pytest.raises(RegistryError, match="has 0 encoders of recipe duphil"):
        taken(tmp_path / "old", tmp_path / "new", replace(wanted, parent=second))
