"""The networks of one training, and their optimiser."""

from dataclasses import dataclass

import torch
from torch import nn

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


@dataclass(frozen=True)
class Networks:
    """Wavelet (fixed), encoder and decoder, and the side branch that only training has."""

    wavelet: Wavelet
    encoder: Encoder
    decoder: Decoder
    side: SideBranch
    classes: int


def build(scenario: Scenario, classes: int, device: torch.device) -> Networks:
    """All networks on `device`, with weights that follow from the scenario's seed."""
    codec = scenario.codec
    wavelet = Wavelet(scenario.data.image_size, codec.wavelet, codec.wavelet_levels)
    with seeded_weights(scenario.seed, "e2e"):
        encoder, decoder = build_encoder(codec), build_decoder(codec, classes)
    with seeded_weights(scenario.seed, "side branch"):
        side = build_side_branch(codec, scenario.train.duphil.features)
    return Networks(wavelet.to(device), encoder.to(device), decoder.to(device), side.to(device), classes)


def sgd(network: nn.Module, spec: TrainSpec) -> torch.optim.SGD:
    """The optimiser of `network`; the learning rate is set before each epoch."""
    return torch.optim.SGD(
        network.parameters(), lr=0.0, momentum=spec.momentum, weight_decay=spec.weight_decay
    )
