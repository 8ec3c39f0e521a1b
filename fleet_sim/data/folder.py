"""Images from folders, one folder a class, as torchvision's ImageFolder lays them out."""

from pathlib import Path

import numpy as np
from PIL import Image

from fleet_sim.basics.errors import UserError
from fleet_sim.data.dataset import Images, Labelled, Labels
from fleet_sim.data.pixels import gathered, squared
from fleet_sim.data.split import permutation

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".webp", ".tif", ".tiff", ".gif")
TEST_SHARE = 0.2


def folder(path: Path, size: int) -> Labelled:
    """Images below `path`, each resized to `size`, classes in the order of their folders' names.

    With folders `train` and `test` these are the division; otherwise 20 % are for test, the same whatever the
    seed. Raises UserError when there are no classes, no images, or a file is no image.
    """
    if not path.is_dir():
        raise UserError(f"data.path: there is no folder {path}")
    if (path / "train").is_dir() and (path / "test").is_dir():
        names = _class_names(path / "train")
        unknown = sorted(set(_class_names(path / "test")) - set(names))
        if unknown:
            raise UserError(f"{path}: test has classes that train lacks: {', '.join(unknown)}")
        train, test = _read(path / "train", names, size), _read(path / "test", names, size)
        return Labelled(str(path), *train, *test, names)
    names = _class_names(path)
    if {"train", "test"} & set(names):
        raise UserError(f"{path}: has a folder train or test without the other; give both, or neither")
    images_NHWC, labels_N = _read(path, names, size)
    order_N = permutation(len(labels_N), seed=0, purpose="folder test")
    test_N, train_N = np.split(order_N, [round(TEST_SHARE * len(order_N))])
    return Labelled(
        str(path), images_NHWC[train_N], labels_N[train_N], images_NHWC[test_N], labels_N[test_N], names
    )


def _class_names(path: Path) -> tuple[str, ...]:
    hidden = (".", "__")  # what editors and archivers leave
    folders = (entry.name for entry in path.iterdir() if entry.is_dir())
    names = tuple(sorted(name for name in folders if not name.startswith(hidden)))
    if not names:
        raise UserError(
            f"{path}: no class folders; images must lie in one folder a class, {path}/CLASS/IMAGE.png"
        )
    return names


def _read(path: Path, names: tuple[str, ...], size: int) -> tuple[Images, Labels]:
    found: list[tuple[Path, int]] = []
    for label, name in enumerate(names):
        files = [file for file in sorted((path / name).rglob("*")) if file.suffix.lower() in SUFFIXES]
        of_class = [(file, label) for file in files if file.is_file()]
        if found and not of_class:
            raise UserError(f"{path / name}: this class folder holds no images ({', '.join(SUFFIXES)})")
        found += of_class
    if not found:
        raise UserError(f"{path}: its class folders hold no images ({', '.join(SUFFIXES)})")
    images_NHWC = gathered((_square(file, size) for file, _ in found), len(found), size)
    return images_NHWC, np.array([label for _, label in found], dtype=np.int64)


def _square(file: Path, size: int) -> Images:
    try:
        with Image.open(file) as image:
            # Of a JPEG much larger than that, fewer pixels are decoded: several times as fast.
            image.draft(image.mode, (2 * size, 2 * size))
            return squared(image, size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{file}: not a readable image ({error})") from error
