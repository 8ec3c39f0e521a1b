"""CIFAR-10 and CIFAR-100 by torchvision, which downloads and checks them."""

from pathlib import Path

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.data.dataset import Labelled

DEFAULT_ROOT = Path("data")


def cifar(classes: int, root: Path | None) -> Labelled:
    """CIFAR-`classes` (10 or 100) below `root`, downloaded where it is not there (162 MB).

    Raises UserError when it is not there and cannot be downloaded, or does not match its checksum.
    """
    # Here and not above: torchvision takes seconds to import, and only these two sources need it.
    from torchvision.datasets import CIFAR10, CIFAR100

    loader = {10: CIFAR10, 100: CIFAR100}[classes]
    where = root or DEFAULT_ROOT
    try:
        train = loader(root=where, train=True, download=True)
        test = loader(root=where, train=False, download=True)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"CIFAR-{classes} is not in {where} and could not be downloaded ({error}); "
            "set data.path to a folder that holds it, or to an .npz file"
        ) from error
    return Labelled(
        f"CIFAR-{classes}",
        train.data,
        np.array(train.targets, dtype=np.int64),
        test.data,
        np.array(test.targets, dtype=np.int64),
        tuple(train.classes),
    )
