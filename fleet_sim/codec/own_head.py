"""Heads of a user's own: a class in a file, which becomes part of the version.

The class fits itself to latents and later reads them:

    class NearestMean:
        @staticmethod
        def fit(latent_MN, labels_M, classes, seed):
            # float32 (M, N), pruned values filled; int64 (M,); what comes back is kept: arrays by name
            return {"mean_KN": np.stack([latent_MN[labels_M == k].mean(axis=0) for k in range(classes)])}

        def __init__(self, weights):
            self.mean_KN = weights["mean_KN"]

        def logits(self, latent_BN):  # (B, N) float32 -> (B, classes), the largest is the answer
            return -((latent_BN[:, None] - self.mean_KN) ** 2).sum(axis=2)

Both must give the same for the same arguments. The file may import what is installed where servers run, and
nothing beside itself: its text travels in the manifest, signed, and a server runs that text.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.head import Head
from fleet_sim.codec.tables import Tables

Weights = dict[str, NDArray[np.generic]]


class HeadClass(Protocol):
    """What a class of a user's own must have."""

    @staticmethod
    def fit(latent_MN: NDArray[np.float32], labels_M: NDArray[np.int64], classes: int, seed: int) -> Weights:
        """Weights from M training latents."""

    def __call__(self, weights: Mapping[str, NDArray[np.generic]]) -> Any:
        """Stands for the constructor: an object with `logits`."""


class OwnHead(Head):
    """A head whose class is made from the source in its manifest."""

    def __init__(
        self,
        made: Mapping[str, Any],
        weights: Mapping[str, NDArray[np.generic]],
        classes: int,
        tables: Tables,
        batch: int,
    ):
        super().__init__(tables, batch)
        self._what, self._classes = f"head '{made['name']}', class {made['class_name']}", classes
        own_class = head_class(made["source"], made["class_name"])
        try:
            self._own = own_class(weights)
        except Exception as error:
            raise UserError(f"{self._what}: its constructor raised {error!r}") from error

    def _logits(self, latent_BN: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            logits_BK = np.asarray(self._own.logits(latent_BN), np.float32)
        except Exception as error:
            raise UserError(f"{self._what}: logits raised {error!r}") from error
        if logits_BK.shape != (len(latent_BN), self._classes):
            raise UserError(
                f"{self._what}: logits gave an array of shape {logits_BK.shape}, "
                f"not {(len(latent_BN), self._classes)}"
            )
        return logits_BK


def head_class(source: str, class_name: str) -> HeadClass:
    """The class that a source text defines."""
    names: dict[str, Any] = {"__name__": "fleet_sim_own_head"}
    exec(compile(source, f"<class {class_name}>", "exec"), names)
    return cast(HeadClass, names[class_name])
