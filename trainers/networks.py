"""The networks of one training, and their optimiser."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fleet_sim.codec.networks import (
    Decoder,
    Encoder,
    SideBranch,
    build_decoder,
    build_encoder,
    build_side_branch,
)
from fleet_sim.codec.wavelet import Wavelet
from fleet_sim.scenario.parts import TrainSpec
from fleet_sim.scenario.scenario import Scenario
from trainers.sameness import seeded_weights

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Networks:
    """Wavelet (fixed), encoder and decoder, and the side branch that only training has.

    Stages run them by `latent` and `logits`. Shapes: B batch, N neurons, K classes.
    """

    wavelet: Wavelet
    encoder: Encoder
    decoder: Decoder
    side: SideBranch
    classes: int
    precision: torch.dtype

    def latent(self, images_BCHW: Tensor) -> Tensor:
        """The encoder's latent_BN, float32 and not rounded, of pixels in [0, 1]."""
        # The wavelet's high bands are small differences: they are taken before precision is lost.
        bands_BCHW = self.wavelet(images_BCHW).contiguous(memory_format=torch.channels_last)
        with in_precision(self.precision, bands_BCHW.device):
            latent_BN: Tensor = self.encoder(bands_BCHW)
        return latent_BN.float()

    def logits(self, latent_BN: Tensor) -> Tensor:
        """The decoder's logits_BK, float32."""
        with in_precision(self.precision, latent_BN.device):
            logits_BK: Tensor = self.decoder(latent_BN)
        return logits_BK.float()


def in_precision(precision: torch.dtype, device: torch.device) -> torch.autocast:
    """Within it, convolutions and matrix products compute in `precision`; weights stay float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def build(scenario: Scenario, classes: int, device: torch.device) -> Networks:
    """All networks on `device`, with weights that follow from the scenario's seed."""
    codec = scenario.codec
    wavelet = Wavelet(scenario.data.image_size, codec.wavelet, codec.wavelet_levels)
    with seeded_weights(scenario.seed, "e2e"):
        encoder, decoder = build_encoder(codec), build_decoder(codec, classes)
    with seeded_weights(scenario.seed, "side branch"):
        side = build_side_branch(codec, scenario.train.duphil.features)
    # Channels last: convolutions and batch normalisation are then faster, on processors and GPUs.
    encoder.to(device).to(memory_format=torch.channels_last)
    decoder.to(device).to(memory_format=torch.channels_last)
    precision = PRECISIONS[scenario.train.precision]
    return Networks(wavelet.to(device), encoder, decoder, side.to(device), classes, precision)


def sgd(network: nn.Module, spec: TrainSpec) -> torch.optim.SGD:
    """The optimiser of `network`; the learning rate is set before each epoch."""
    return torch.optim.SGD(
        network.parameters(), lr=0.0, momentum=spec.momentum, weight_decay=spec.weight_decay
    )
