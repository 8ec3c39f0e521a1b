"""Images from each source, and what is said when they are not there."""

import numpy as np
import pytest
from PIL import Image

from fleet_sim.basics.errors import UserError
from fleet_sim.data import DataSpec, load
from fleet_sim.data.corruption import corrupt
from fleet_sim.data.pixels import squared


def arrays(train: int = 20, test: int = 6, size: int = 12) -> dict[str, np.ndarray]:
    draws = np.random.default_rng(3)
    return {
        "train_images": draws.integers(0, 256, (train, size, size, 3), dtype=np.uint8),
        "train_labels": np.arange(train) % 3,
        "test_images": draws.integers(0, 256, (test, size, size, 3), dtype=np.uint8),
        "test_labels": np.arange(test) % 3,
    }


def load_npz(tmp_path, spec_fields=None, **changes):
    path = tmp_path / "images.npz"
    np.savez(path, **{k: v for k, v in (arrays() | changes).items() if v is not None})
    return load(DataSpec(source="npz", path=path, image_size=16, **(spec_fields or {})), seed=1)


def test_digits_split_is_fixed_and_the_seed_moves_only_validation():
    one, again, other = load(DataSpec(), 1), load(DataSpec(), 1), load(DataSpec(), 2)
    assert one.train_images_NHWC.shape == (1294, 32, 32, 3)
    assert one.validation_images_NHWC.shape == (144, 32, 32, 3)
    assert one.test_images_NHWC.shape == (359, 32, 32, 3)
    assert one.train_images_NHWC.dtype == np.uint8
    assert one.class_names == tuple("0123456789")
    assert one.content_hash == again.content_hash != other.content_hash
    tests = [sorted(image.tobytes() for image in d.test_images_NHWC) for d in (one, other)]
    assert tests[0] == tests[1]


def test_scenes_are_a_seeded_choice_of_the_test_images():
    few = load(DataSpec(scenes=50), 1)
    assert np.array_equal(few.test_images_NHWC, load(DataSpec(), 1).test_images_NHWC[:50])
    with pytest.raises(UserError, match=r"data.scenes asks for 400 test images; digits has 359"):
        load(DataSpec(scenes=400), 1)


def test_npz_is_resized_and_named(tmp_path):
    data = load_npz(tmp_path, class_names=np.array(["ant", "bee", "cow"]))
    assert data.train_images_NHWC.shape == (18, 16, 16, 3)
    assert data.validation_images_NHWC.shape == (2, 16, 16, 3)
    assert data.class_names == ("ant", "bee", "cow")
    assert load_npz(tmp_path).class_names == ("0", "1", "2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_labels": None}, "no array test_labels; it has train_images, train_labels, test_images"),
        (
            {"train_images": np.zeros((20, 12, 12), np.uint8)},
            r"train images are uint8 \(20, 12, 12\); they must",
        ),
        ({"train_images": np.zeros((20, 12, 12, 3))}, r"train images are float64 .* must be uint8"),
        ({"test_labels": np.arange(5)}, r"test labels are int64 \(5,\); they must be int64 \(6,\)"),
        ({"test_labels": np.linspace(0, 1, 6)}, "test_labels is float64; labels must be integers"),
        ({"train_labels": np.full(20, -1)}, "train labels run from -1 to -1; with 3 classes"),
        ({"class_names": np.array(["ant", "bee"])}, r"labels run from 0 to 2; with 2 classes .* 0\.\.1"),
        ({"class_names": np.array(["ant", 3], dtype=object)}, "not a readable .npz file of plain arrays"),
        ({"test_images": np.zeros((0, 12, 12, 3), np.uint8), "test_labels": np.arange(0)}, "no test images"),
    ],
)
def test_an_npz_that_is_not_images_with_labels_is_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        load_npz(tmp_path, **changes)


def test_a_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        load(DataSpec(source="npz", path=tmp_path / "none.npz"), 1)
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    for name in ("one.npy", "text.npz"):
        with pytest.raises(UserError, match=rf"{name}: is no \.npz file, as numpy\.savez writes them"):
            load(DataSpec(source="npz", path=tmp_path / name), 1)
    (tmp_path / "broken.npz").write_text("hello")
    with pytest.raises(UserError, match=r"is no \.npz file"):
        load(DataSpec(source="cifar10", path=tmp_path / "broken.npz"), 1)


def write_images(folder, count):
    folder.mkdir(parents=True)
    for i in range(count):
        Image.new("L", (20 + i, 30), 10 * i).save(folder / f"{i}.png")


def test_folder_of_classes_is_split_and_squared(tmp_path):
    write_images(tmp_path / "cat", 6)
    write_images(tmp_path / "ant", 4)
    data = load(DataSpec(source="folder", path=tmp_path, image_size=8), 1)
    assert data.class_names == ("ant", "cat")
    assert data.test_images_NHWC.shape == (2, 8, 8, 3)
    assert len(data.train_labels_N) + len(data.validation_labels_N) == 8


def test_folder_with_train_and_test_keeps_its_division(tmp_path):
    write_images(tmp_path / "train" / "ant", 4)
    write_images(tmp_path / "train" / "bee", 4)
    write_images(tmp_path / "test" / "bee", 3)
    data = load(DataSpec(source="folder", path=tmp_path, image_size=8), 1)
    assert data.test_labels_N.tolist() == [1, 1, 1]
    write_images(tmp_path / "test" / "cow", 1)
    with pytest.raises(UserError, match="test has classes that train lacks: cow"):
        load(DataSpec(source="folder", path=tmp_path), 1)


def test_a_folder_without_classes_or_images_is_refused(tmp_path):
    spec = DataSpec(source="folder", path=tmp_path / "images")
    with pytest.raises(UserError, match="there is no folder"):
        load(spec, 1)
    spec.path.mkdir()
    with pytest.raises(UserError, match="no class folders"):
        load(spec, 1)
    (spec.path / "ant").mkdir()
    with pytest.raises(UserError, match="hold no images"):
        load(spec, 1)
    (spec.path / "ant" / "0.png").write_text("hello")
    with pytest.raises(UserError, match=r"0\.png: not a readable image"):
        load(spec, 1)


def test_corruption_redraws_a_share_over_all_classes():
    labels = np.arange(50_000) % 10
    corrupted = corrupt(labels, 0.3, 10, seed=5)
    # Wrong: binomial with mean 0.3 * 0.9 * 50,000 = 13,500 and standard deviation below 40.
    assert abs(int((corrupted != labels).sum()) - 13_500) < 200
    wrong = corrupted[corrupted != labels]
    assert np.abs(np.bincount(wrong, minlength=10) - 1350).max() < 180
    assert np.array_equal(corrupted, corrupt(labels, 0.3, 10, seed=5))
    assert not np.array_equal(corrupted, corrupt(labels, 0.3, 10, seed=6))
    assert np.array_equal(corrupt(labels, 0.0, 10, seed=5), labels)


def test_only_training_labels_are_corrupted():
    clean, spoilt = load(DataSpec(), 1), load(DataSpec(corruption=1), 1)
    assert (clean.train_labels_N != spoilt.train_labels_N).mean() > 0.8
    assert np.array_equal(clean.validation_labels_N, spoilt.validation_labels_N)
    assert np.array_equal(clean.test_labels_N, spoilt.test_labels_N)
    assert clean.content_hash != spoilt.content_hash


def test_cifar_that_cannot_be_had_is_a_clear_error(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("torchvision.datasets.cifar.download_and_extract_archive", no_network)
    with pytest.raises(UserError, match=r"CIFAR-10 is not in .*no network"):
        load(DataSpec(source="cifar10", path=tmp_path), 1)


def test_a_folder_of_train_without_test_is_refused(tmp_path):
    write_images(tmp_path / "train" / "a", 3)
    write_images(tmp_path / "valid" / "a", 3)
    with pytest.raises(UserError, match="train or test without the other"):
        load(DataSpec(source="folder", path=tmp_path), 1)


def test_hidden_folders_are_no_classes_and_empty_ones_are_refused(tmp_path):
    for name in ("a", "b", ".cache", "__MACOSX"):
        write_images(tmp_path / name, 4)
    spec = DataSpec(source="folder", path=tmp_path, image_size=8)
    assert load(spec, 1).class_names == ("a", "b")
    (tmp_path / "c").mkdir()
    with pytest.raises(UserError, match=r"c: this class folder holds no images"):
        load(spec, 1)


def test_damaged_images_are_refused_by_name(tmp_path):
    write_images(tmp_path / "a", 3)
    write_images(tmp_path / "b", 3)
    (tmp_path / "b" / "bad.ppm").write_bytes(b"P6\nx y\n255\n")
    with pytest.raises(UserError, match=r"bad\.ppm: not a readable image"):
        load(DataSpec(source="folder", path=tmp_path), 1)


def test_images_that_memory_would_not_hold_are_refused_before_they_are_read(tmp_path, monkeypatch):
    write_images(tmp_path / "a", 3)
    write_images(tmp_path / "b", 3)
    spec = DataSpec(source="folder", path=tmp_path, image_size=256)
    needed = 2 * 6 * 256 * 256 * 3
    monkeypatch.setattr("fleet_sim.data.pixels.free_bytes", lambda: needed)
    assert load(spec, 1).test_images_NHWC.shape == (1, 256, 256, 3)
    monkeypatch.setattr("fleet_sim.data.pixels.free_bytes", lambda: needed - 1)
    monkeypatch.setattr("fleet_sim.data.folder.squared", lambda *_: pytest.fail("an image was read"))
    with pytest.raises(UserError, match=r"6 images of 256 x 256 pixels take 0\.0 GB .* 0\.0 GB are free"):
        load(spec, 1)


def test_a_photograph_of_many_pixels_is_read_as_its_full_size_would_be(tmp_path):
    shades = np.random.default_rng(2).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    photo = Image.fromarray(shades).resize((1600, 1200), Image.Resampling.BICUBIC)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            photo.save(tmp_path / name / f"{i}.jpg", quality=95)
    data = load(DataSpec(source="folder", path=tmp_path, image_size=32), 1)
    full = squared(photo, 32).astype(float)
    assert np.abs(data.test_images_NHWC[0] - full).mean() < 1


def test_sixteen_bits_of_grey_keep_their_shades():
    grey = Image.fromarray(np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8))
    shades = squared(grey, 8)[..., 0]
    assert shades.min() == 0
    assert shades.max() == 255
    assert len(np.unique(shades)) > 50


def test_one_class_cannot_be_learnt(tmp_path):
    with pytest.raises(UserError, match="at least two classes"):
        load_npz(tmp_path, train_labels=np.zeros(20, dtype=np.int64))


def test_absurd_labels_are_refused(tmp_path):
    with pytest.raises(UserError, match="labels up to 1000000000"):
        load_npz(tmp_path, train_labels=np.array([0, 1] * 9 + [0, 10**9]))
