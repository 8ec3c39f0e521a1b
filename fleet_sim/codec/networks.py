"""The networks: encoder on the camera, decoder on the server, side branch in training only.

Shapes: B batch, C H W bands, F features before the bottleneck, N bottleneck neurons, D dimensions of z,
K classes.
At width 64 and depth resnet18 this is the "modified ResNet-18" of Qi et al., ICIP 2022; every other width
scales all layers alike. At depth deep the encoder has the four modules of a whole ResNet-18. Initial weights
are drawn from torch's global generator.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fleet_sim.codec.spec import BLOCKS, CodecSpec


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Map (B, channels, H / stride, W / stride)."""
        return torch.relu(self.body(x_BCHW) + self.shortcut(x_BCHW))


def _module(channels_in: int, channels: int, stride: int, blocks: int) -> nn.Sequential:
    first = BasicBlock(channels_in, channels, stride)
    return nn.Sequential(first, *(BasicBlock(channels, channels, 1) for _ in range(blocks - 1)))


class Encoder(nn.Module):
    """Bands to un-rounded bottleneck neurons, what a camera runs after the wavelet.

    `blocks` are those of its modules, two or more. Each after the first halves the sides of the map and
    doubles its filters.
    """

    def __init__(self, bands: int, width: int, neurons: int, blocks: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(bands, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.module1 = _module(width, width, 1, blocks[0])
        self.module2 = _module(width, 2 * width, 2, blocks[1])
        self.deeper = nn.Sequential(
            *(_module(width << i, width << (i + 1), 2, count) for i, count in enumerate(blocks[2:], start=1))
        )
        self.bottleneck = nn.Sequential(
            nn.Linear(width << (len(blocks) - 1), 8 * width, bias=False),
            nn.BatchNorm1d(8 * width),
            nn.ReLU(),
            nn.Linear(8 * width, neurons),
        )

    def forward(self, bands_BCHW: Tensor) -> Tensor:
        """latent_BN of `bands_BCHW`, not rounded."""
        map_BCHW = self.module2(self.module1(self.stem(bands_BCHW)))
        feature_BF = self.deeper(map_BCHW).mean(dim=(2, 3))
        latent_BN: Tensor = self.bottleneck(feature_BF)
        return latent_BN


class SideBranch(nn.Module):
    """Latent to the unit vectors z whose coding rate the first phase of training works on."""

    def __init__(self, neurons: int, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.BatchNorm1d(neurons), nn.ReLU(), nn.Linear(neurons, features))

    def forward(self, latent_BN: Tensor) -> Tensor:
        """z_BD, each row of length one."""
        return nn.functional.normalize(self.layers(latent_BN), dim=1)


class LatentDecoder(nn.Module):
    """Latent to a map of features, by three transposed convolutions."""

    def __init__(self, neurons: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(neurons, channels, 2, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, channels, 2, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, channels, 2, stride=2),
        )

    def forward(self, latent_BN: Tensor) -> Tensor:
        """map_BCHW of 8 x 8 positions."""
        map_BCHW: Tensor = self.layers(latent_BN[:, :, None, None])
        return map_BCHW


class Classifier(nn.Module):
    """Map of features to logits: the third module, pooling, one linear layer."""

    def __init__(self, channels: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.module3 = _module(channels, 2 * channels, 2, blocks)
        self.linear = nn.Linear(2 * channels, classes)

    def forward(self, map_BCHW: Tensor) -> Tensor:
        """logits_BK."""
        logits_BK: Tensor = self.linear(self.module3(map_BCHW).mean(dim=(2, 3)))
        return logits_BK


class Decoder(nn.Module):
    """Latent to logits, what a server runs."""

    def __init__(self, neurons: int, width: int, blocks: int, classes: int) -> None:
        super().__init__()
        self.latent_decoder = LatentDecoder(neurons, 2 * width)
        self.classifier = Classifier(2 * width, blocks, classes)

    def forward(self, latent_BN: Tensor) -> Tensor:
        """logits_BK of `latent_BN` as float32, rounded or with training noise."""
        logits_BK: Tensor = self.classifier(self.latent_decoder(latent_BN))
        return logits_BK


def build_encoder(spec: CodecSpec) -> Encoder:
    """Encoder of `spec` with fresh weights."""
    return Encoder(3 * 4**spec.wavelet_levels, spec.width, spec.neurons, BLOCKS[spec.depth][:-1])


def build_decoder(spec: CodecSpec, classes: int) -> Decoder:
    """Decoder of `spec` for `classes` classes with fresh weights."""
    return Decoder(spec.neurons, spec.width, BLOCKS[spec.depth][-1], classes)


def build_side_branch(spec: CodecSpec, features: int) -> SideBranch:
    """Side branch of `spec` into `features` dimensions with fresh weights."""
    return SideBranch(spec.neurons, features)
