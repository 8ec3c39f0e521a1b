"""From the `data:` part of a scenario to images."""

from dataclasses import replace

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.data.cifar import cifar
from fleet_sim.data.corruption import corrupt
from fleet_sim.data.dataset import Dataset, Labelled
from fleet_sim.data.digits import digits
from fleet_sim.data.folder import folder
from fleet_sim.data.groups import grouped
from fleet_sim.data.labels_file import read_labels
from fleet_sim.data.npz import npz
from fleet_sim.data.pixels import all_squared
from fleet_sim.data.spec import DataSpec
from fleet_sim.data.split import permutation


def load(spec: DataSpec, seed: int) -> Dataset:
    """Images of `spec`. Validation split, corruption and choice of scenes follow from `seed`.

    Labels of one's own replace those that are trained on; validation and test keep the source's.
    Raises UserError when the images are missing or are not what the source says.
    """
    clean = _read(spec)
    trained_on = clean
    if spec.labels_path is not None:
        given_N = read_labels(spec.labels_path, len(clean.train_labels_N), clean.class_names)
        trained_on = replace(clean, train_labels_N=given_N)
    if spec.labels != "own":
        clean, trained_on = grouped(clean, spec.labels), grouped(trained_on, spec.labels)
    order_N = permutation(len(clean.train_labels_N), seed, "validation")
    held_out = max(1, round(spec.validation_share * len(order_N)))
    if held_out == len(order_N):
        raise UserError(f"{clean.origin}: one training image cannot be split into training and validation")
    validation_N, train_N = order_N[:held_out], order_N[held_out:]
    if len(np.unique(trained_on.train_labels_N[train_N])) < 2:
        raise UserError(f"{clean.origin}: the training images must be of at least two classes")
    available = len(clean.test_labels_N)
    if spec.scenes is not None and spec.scenes > available:
        raise UserError(f"data.scenes asks for {spec.scenes} test images; {clean.origin} has {available}")
    scenes_N = permutation(available, seed, "scenes")[: spec.scenes]
    train_images_NHWC = all_squared(clean.train_images_NHWC, spec.image_size)
    return Dataset(
        train_images_NHWC=train_images_NHWC[train_N],
        train_labels_N=corrupt(
            trained_on.train_labels_N[train_N],
            spec.corruption,
            len(clean.class_names),
            seed,
            spec.corruption_kind,
        ),
        validation_images_NHWC=train_images_NHWC[validation_N],
        validation_labels_N=clean.train_labels_N[validation_N],
        test_images_NHWC=all_squared(clean.test_images_NHWC[scenes_N], spec.image_size),
        test_labels_N=clean.test_labels_N[scenes_N],
        class_names=clean.class_names,
    )


def _read(spec: DataSpec) -> Labelled:
    if spec.source == "digits":
        return digits()
    if spec.path is not None and spec.source == "folder":
        return folder(spec.path, spec.image_size)
    if spec.path is not None and (spec.source == "npz" or spec.path.suffix == ".npz"):
        return npz(spec.path)
    return cifar(100 if spec.source == "cifar100" else 10, spec.path)
