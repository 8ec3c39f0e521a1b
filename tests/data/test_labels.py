"""Label sets, labels of one's own, and labels that err by class."""

import numpy as np
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.data import DataSpec, load
from fleet_sim.data.corruption import corrupt
from fleet_sim.data.dataset import Labelled
from fleet_sim.data.groups import GROUPS, grouped

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture
def ten_classes(tmp_path):
    """make(**data fields) -> DataSpec of 40 images of ten classes, each known by its red value."""
    path = tmp_path / "images.npz"
    images = np.zeros((40, 8, 8, 3), np.uint8)
    images[..., 0] = np.arange(40)[:, None, None]
    labels = np.arange(40) % 10
    np.savez(
        path,
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        class_names=CIFAR10,
    )
    return lambda **fields: DataSpec(source="npz", path=path, image_size=8, **fields)


def by_image(images_NHWC, labels_N):
    """Each image's label, by the image's number."""
    return dict(zip(images_NHWC[:, 0, 0, 0].tolist(), labels_N.tolist(), strict=True))


def test_a_coarser_question_keeps_images_and_split_and_groups_every_label(ten_classes):
    own, coarse = load(ten_classes(), 1), load(ten_classes(labels="animals"), 1)
    assert coarse.class_names == ("animal", "machine")
    for part in ("train", "validation", "test"):
        images = getattr(own, f"{part}_images_NHWC")
        assert np.array_equal(images, getattr(coarse, f"{part}_images_NHWC"))
        animal_N = np.isin(getattr(own, f"{part}_labels_N"), [2, 3, 4, 5, 6, 7])
        assert np.array_equal(getattr(coarse, f"{part}_labels_N") == 0, animal_N)


def test_twenty_coarse_classes_of_five_each():
    members = [group.split() for group in GROUPS["coarse"].values()]
    assert [len(group) for group in members] == [5] * 20
    fine = tuple(sorted(one for group in members for one in group))
    assert len(set(fine)) == 100
    images = np.zeros((100, 8, 8, 3), np.uint8)
    coarse = grouped(Labelled("all", images, np.arange(100), images, np.arange(100), fine), "coarse")
    assert np.bincount(coarse.train_labels_N).tolist() == [5] * 20
    assert coarse.class_names[coarse.train_labels_N[fine.index("otter")]] == "aquatic_mammals"


def test_groups_of_other_classes_are_refused(ten_classes):
    with pytest.raises(UserError, match=r"data\.labels: 'coarse' is for the classes apple, .* differ in "):
        load(ten_classes(labels="coarse"), 1)


def test_own_labels_are_trained_on_and_nothing_else_changes(ten_classes, tmp_path):
    given = (np.arange(40) + 3) % 10
    np.save(tmp_path / "given.npy", given)
    lines = [CIFAR10[label] if label % 2 else str(label) for label in given]
    (tmp_path / "given.txt").write_text("\n".join(lines) + "\n")
    clean = load(ten_classes(), 1)
    for name in ("given.npy", "given.txt"):
        spoilt = load(ten_classes(labels_path=tmp_path / name), 1)
        trained_on = by_image(spoilt.train_images_NHWC, spoilt.train_labels_N)
        assert trained_on == {image: int(given[image]) for image in trained_on}
        assert np.array_equal(spoilt.validation_labels_N, clean.validation_labels_N)
        assert np.array_equal(spoilt.test_labels_N, clean.test_labels_N)
    both = load(ten_classes(labels_path=tmp_path / "given.npy", labels="animals"), 1)
    for image, label in by_image(both.train_images_NHWC, both.train_labels_N).items():
        assert label == (0 if 2 <= given[image] <= 7 else 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("cat\n" * 39, "39 labels; there are 40 training images"),
        ("cat\n" * 30 + "cow\n" * 10, "line 31: 'cow' is neither a class name nor a number"),
        ("cat\n" * 39 + "10\n", r"label 40 is 10; with 10 classes they must lie in 0\.\.9"),
        ("cat\n" * 39 + "-1\n", "line 40: '-1' is neither"),
        (np.linspace(0, 1, 40), r"labels are float64 \(40,\); they must be integers"),
        (np.full(40, -1), "label 1 is -1"),
        (b"hello", "not readable as labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_line(ten_classes, tmp_path, content, message):
    path = tmp_path / ("given.txt" if isinstance(content, str) else "given.npy")
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=message):
        load(ten_classes(labels_path=path), 1)


def test_missing_labels_and_labels_spoilt_twice_are_refused(ten_classes, tmp_path):
    with pytest.raises(UserError, match=r"data\.labels_path: there is no file"):
        load(ten_classes(labels_path=tmp_path / "none.npy"), 1)
    with pytest.raises(ValueError, match="set corruption to 0"):
        ten_classes(labels_path=tmp_path / "none.npy", corruption=0.1)


def test_pair_flipping_moves_a_share_of_every_class_to_the_next():
    labels = np.arange(50_000) % 10
    spoilt = corrupt(labels, 0.3, 10, seed=5, kind="pair")
    wrong = spoilt != labels
    assert wrong.sum() == 15_000
    assert np.array_equal(spoilt[wrong], (labels[wrong] + 1) % 10)
    # Of each class's 5,000: hypergeometric with mean 1,500 and standard deviation 31.
    assert np.abs(np.bincount(labels[wrong], minlength=10) - 1500).max() < 160
    assert np.array_equal(spoilt, corrupt(labels, 0.3, 10, seed=5, kind="pair"))
