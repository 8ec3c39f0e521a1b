"""What a camera runs: wavelet, frozen encoder, rounding.

Shapes: M images, H W pixels, C colours, N neurons.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fleet_sim.codec.batches import in_fixed_batches, load_frozen
from fleet_sim.codec.networks import build_encoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.codec.wavelet import analyse

_LARGEST = 2.0**31 - 128  # the last float32 within int32


class FrozenEncoder:
    """One released encoder version. `device` is a torch device name."""

    def __init__(
        self,
        spec: CodecSpec,
        weights: Mapping[str, NDArray[np.generic]],
        tables: Tables,
        device: str = "cpu",
    ):
        self._spec = spec
        self._tables = tables
        self._device = device
        self._network = load_frozen(build_encoder(spec), weights, device)

    def latents(self, images_MHWC: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Rounded latents (M, N) in ranked order, half to even.

        Raises ValueError where the network puts out what no message can carry (not finite, or beyond int32).
        """
        raw_MN = raw_latents(self._network, self._spec, images_MHWC, self._device)
        if not (np.abs(raw_MN) <= _LARGEST).all():
            raise ValueError("the encoder puts out values that are not finite or beyond 32 bits")
        return np.rint(raw_MN)[:, self._tables.ranking_N].astype(np.int32)


def raw_latents(
    encoder: nn.Module, spec: CodecSpec, images_MHWC: NDArray[np.uint8], device: str
) -> NDArray[np.float32]:
    """Latents (M, N) as the encoder puts them out, neither rounded nor ranked.

    Runs in evaluation mode and leaves `encoder` in the mode it had.
    """

    def run(images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        bands_BCHW = torch.from_numpy(analyse(images_BHWC, spec.wavelet, spec.wavelet_levels))
        latent_BN: NDArray[np.float32] = encoder(bands_BCHW.to(device)).cpu().numpy()
        return latent_BN

    was_training = encoder.training
    encoder.eval()
    try:
        with torch.inference_mode():
            return in_fixed_batches(run, images_MHWC, spec.batch)
    finally:
        encoder.train(was_training)
