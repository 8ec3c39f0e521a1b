"""What a server runs on decoded latents: a network or a linear classifier, at any level.

Shapes: M frames, B the fixed batch, N neurons, k of them kept, K classes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.batches import in_fixed_batches, load_frozen
from fleet_sim.codec.contract import check_contract, contract, contract_hash
from fleet_sim.codec.networks import build_decoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables, fill


class Head(ABC):
    """One released classifier; runs in batches of exactly `batch` rows."""

    def __init__(self, tables: Tables, batch: int):
        self._tables = tables
        self._batch = batch

    def classify(self, latent_Mk: NDArray[np.int32], level: int) -> NDArray[np.int64]:
        """The class of each frame (M) from its k kept values in ranked order, all of one level.

        Of equal logits the first class wins. Raises ValueError where k is not what the level keeps.
        """
        kept = int(self._tables.ladder_L[level])
        if latent_Mk.shape[1] != kept:
            raise ValueError(f"level {level} keeps {kept} neurons, not {latent_Mk.shape[1]}")
        logits_MK = in_fixed_batches(self._logits, fill(latent_Mk, self._tables), self._batch)
        class_M: NDArray[np.int64] = np.argmax(logits_MK, axis=1).astype(np.int64)
        return class_M

    def classify_together(
        self, latent_MN: NDArray[np.int32], level_M: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """As `classify`, for at least one frame of any levels, in one batch of just as many rows.

        So works a server that need not give the same bits whatever the company: no row is padding. Of each
        latent the values are read that its level keeps.
        """
        whole_MN = np.empty((len(latent_MN), self._tables.neurons), np.float32)
        for level in np.unique(level_M):
            kept, of_level = int(self._tables.ladder_L[level]), level_M == level
            whole_MN[of_level] = fill(latent_MN[of_level, :kept], self._tables)
        class_M: NDArray[np.int64] = np.argmax(self._logits(whole_MN), axis=1).astype(np.int64)
        return class_M

    @abstractmethod
    def _logits(self, latent_BN: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (B, K) of one batch of latents in the encoder's order, of any size."""


class NetworkHead(Head):
    """Latent decoder and third module (heads `ce` and `kl`). `device` is a torch device name."""

    def __init__(
        self,
        spec: CodecSpec,
        classes: int,
        weights: Mapping[str, NDArray[np.generic]],
        tables: Tables,
        device: str = "cpu",
    ):
        super().__init__(tables, spec.batch)
        self._device = device
        self._network = load_frozen(build_decoder(spec, classes), weights, device)

    def _logits(self, latent_BN: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits_BK: NDArray[np.float32] = (
                self._network(torch.from_numpy(latent_BN).to(self._device)).cpu().numpy()
            )
        return logits_BK


class LinearHead(Head):
    """Linear classifier straight on the latent (head `svm`): coef_KN and intercept_K, one row a class."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]], tables: Tables, batch: int = 64):
        super().__init__(tables, batch)
        self._coef_KN = weights["coef_KN"].astype(np.float32)
        self._intercept_K = weights["intercept_K"].astype(np.float32)
        classes = len(self._intercept_K)
        if classes < 2 or self._coef_KN.shape != (classes, tables.neurons):
            raise UserError(
                f"a linear head needs a row of {tables.neurons} weights for each of its {classes} classes, "
                f"not {self._coef_KN.shape}"
            )

    def _logits(self, latent_BN: NDArray[np.float32]) -> NDArray[np.float32]:
        return latent_BN @ self._coef_KN.T + self._intercept_K


def load_head(
    manifest: Mapping[str, Any],
    spec: CodecSpec,
    tensors: Mapping[str, Mapping[str, NDArray[np.generic]]],
    tables: Tables,
    device: str = "cpu",
) -> Head:
    """The head of a published bundle, for an encoder with this codec and these tables.

    Raises UserError where the head was made under another contract, or its weights do not fit.
    """
    ours = contract_hash(contract(spec, tables))
    check_contract(f"head '{manifest['head']['name']}'", manifest, ours)
    made = manifest["head"]
    if made["kind"] == "own":
        from fleet_sim.codec.own_head import OwnHead  # which is a Head itself

        return OwnHead(made, tensors["weights"], manifest["classes"], tables, spec.batch)
    if made["kind"] == "svm":
        return LinearHead(tensors["weights"], tables, spec.batch)
    return NetworkHead(spec, manifest["classes"], tensors["weights"], tables, device)
