"""Training labels from a file of one's own, as people gave them."""

from pathlib import Path

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.data.dataset import Labels


def read_labels(path: Path, count: int, class_names: tuple[str, ...]) -> Labels:
    """The labels of `count` training images, in the order of their source.

    A .npy file holds integers (N,) from 0; any other file is text with a class name or its number a line.
    Raises UserError, naming the line, for labels that are missing, too many or of no class.
    """
    try:
        given = np.load(path, allow_pickle=False) if path.suffix == ".npy" else _lines(path, class_names)
    except FileNotFoundError as error:
        raise UserError(f"data.labels_path: there is no file {path}") from error
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: not readable as labels ({error})") from error
    if not isinstance(given, np.ndarray):
        raise UserError(f"{path}: holds several arrays; labels are one, saved by numpy.save")
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        raise UserError(
            f"{path}: labels are {given.dtype} {given.shape}; they must be integers, one an image"
        )
    if len(given) != count:
        raise UserError(f"{path}: {len(given)} labels; there are {count} training images")
    bad = np.flatnonzero((given < 0) | (given >= len(class_names)))
    if len(bad):
        raise UserError(
            f"{path}: label {bad[0] + 1} is {given[bad[0]]}; "
            f"with {len(class_names)} classes they must lie in 0..{len(class_names) - 1}"
        )
    return given.astype(np.int64)


def _lines(path: Path, class_names: tuple[str, ...]) -> Labels:
    number = {name: label for label, name in enumerate(class_names)}
    labels = []
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        word = text.strip()
        if word not in number and not word.isdecimal():
            raise UserError(f"{path}, line {line}: '{word}' is neither a class name nor a number from 0")
        labels.append(number[word] if word in number else int(word))
    return np.array(labels, dtype=np.int64)
