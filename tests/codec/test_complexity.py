import numpy as np
import pytest
import torch

from fleet_sim.codec.complexity import TAPS, encoder_work, head_work, picture_work
from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.wavelet import analyse
from trainers.reproduce.cost import multiply_adds

SHAPES = [
    ("tiny", 4, 16, 1, 32),
    ("resnet18", 16, 128, 1, 32),
    ("resnet34", 8, 24, 2, 64),
    ("deep", 4, 16, 3, 256),
]


@pytest.mark.parametrize(("depth", "width", "neurons", "levels", "size"), SHAPES)
def test_work_is_what_the_networks_do(depth: str, width: int, neurons: int, levels: int, size: int) -> None:
    spec = CodecSpec.model_validate(
        {"depth": depth, "width": width, "neurons": neurons, "wavelet_levels": levels}
    )
    encoder, decoder = build_encoder(spec).eval(), build_decoder(spec, 7).eval()
    bands_BCHW = torch.from_numpy(analyse(np.zeros((1, size, size, 3), np.uint8), spec.wavelet, levels))
    work = encoder_work(spec, size)
    wavelet = 3 * size**2 * TAPS[spec.wavelet] * sum(0.25**level for level in range(levels))
    assert work.multiply_adds == multiply_adds(encoder, bands_BCHW) + int(wavelet)
    head = head_work(spec, "ce", 7)
    assert head.multiply_adds == multiply_adds(decoder, torch.zeros(1, neurons))
    for network, counted in ((encoder, work), (decoder, head)):
        weights = sum(p.numel() for p in network.parameters() if p.dim() > 1)
        assert counted.weights == weights


def test_a_linear_head_is_a_product() -> None:
    assert head_work(CodecSpec(neurons=64), "svm", 10).multiply_adds == 640


def test_pictures_by_hand() -> None:
    assert picture_work("raw", 32).multiply_adds == 0
    assert picture_work("jpeg", 8).multiply_adds == 64 * (9 + 3 * 17)
