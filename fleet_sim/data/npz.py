"""Images from a NumPy .npz file."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fleet_sim.basics.errors import UserError
from fleet_sim.data.dataset import Labelled

MOST_CLASSES = 100_000
REQUIRED = ("train_images", "train_labels", "test_images", "test_labels")


def npz(path: Path) -> Labelled:
    """Images of a file with the arrays train_images, train_labels, test_images, test_labels, and class_names
    where the classes have names: images uint8 (N, H, W, 3), labels any integers (N,) from 0.

    Raises UserError when the file or an array is missing, or is something else.
    """
    if not path.is_file():
        raise UserError(f"data.path: there is no file {path}")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: is no .npz file, as numpy.savez writes them")
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in REQUIRED if name not in file.files]
            if missing:
                raise UserError(
                    f"{path}: no array {', '.join(missing)}; it has {', '.join(file.files) or 'none'}"
                )
            for name in (*REQUIRED, *(["class_names"] if "class_names" in file.files else [])):
                arrays[name] = file[name]
    except UserError:
        raise
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, AttributeError) as error:
        raise UserError(f"{path}: not a readable .npz file of plain arrays ({error})") from error
    labels = {}
    for name in ("train_labels", "test_labels"):
        if not np.issubdtype(arrays[name].dtype, np.integer):
            raise UserError(f"{path}: {name} is {arrays[name].dtype}; labels must be integers")
        labels[name] = arrays[name].astype(np.int64)
    most = max(int(labels_N.max(initial=0)) for labels_N in labels.values())
    if most >= MOST_CLASSES:
        raise UserError(f"{path}: labels up to {most}; classes are numbered from 0, below {MOST_CLASSES}")
    if "class_names" in arrays and arrays["class_names"].ndim == 1:
        names = tuple(str(name) for name in arrays["class_names"])
    else:
        names = tuple(str(k) for k in range(most + 1))
    return Labelled(
        str(path),
        arrays["train_images"],  # type: ignore[arg-type]  # Labelled checks the dtype
        labels["train_labels"],
        arrays["test_images"],  # type: ignore[arg-type]
        labels["test_labels"],
        names,
    )
