"""Sizes and shapes of the networks."""

import pytest
import torch

from fleet_sim.codec.networks import build_decoder, build_encoder, build_side_branch
from fleet_sim.codec.quantiser import add_noise, round_latent
from fleet_sim.codec.spec import CodecSpec


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_resnet18_of_width_64_has_the_papers_size():
    spec = CodecSpec(depth="resnet18", width=64, neurons=128)
    decoder = build_decoder(spec, classes=10)
    assert parameters(build_encoder(spec)) == 812_800
    assert parameters(decoder.latent_decoder) == 196_992
    assert parameters(decoder.classifier) == 2_102_282


def test_the_deep_encoder_is_a_whole_resnet18_before_its_bottleneck():
    spec = CodecSpec(depth="deep", width=64, neurons=128, wavelet_levels=3)
    encoder = build_encoder(spec)
    convolutions = parameters(encoder) - parameters(encoder.stem) - parameters(encoder.bottleneck)
    # torchvision's resnet18: 11,689,512, of which its stem has 9,408 + 128 and its last layer 513,000.
    assert convolutions == 11_689_512 - 9_536 - 513_000
    shapes = []
    for module in (encoder.stem, *encoder.deeper):
        module.register_forward_hook(lambda _, __, made: shapes.append(made.shape[1:]))
    encoder.eval()(torch.rand(1, 3 * 4**3, 32, 32))
    assert shapes == [(64, 32, 32), (256, 8, 8), (512, 4, 4)]


@pytest.mark.parametrize("depth", ["tiny", "resnet18", "resnet34", "deep"])
@pytest.mark.parametrize("levels", [1, 2])
def test_shapes_from_bands_to_logits(depth, levels):
    spec = CodecSpec(depth=depth, width=4, neurons=24, wavelet_levels=levels)
    bands = torch.rand(5, 3 * 4**levels, 16, 16)
    latent = build_encoder(spec)(bands)
    assert latent.shape == (5, 24)
    decoder = build_decoder(spec, classes=7)
    assert decoder.latent_decoder(latent).shape == (5, 8, 8, 8)
    assert decoder(latent).shape == (5, 7)
    z = build_side_branch(spec, features=16)(latent)
    assert z.shape == (5, 16)
    assert torch.allclose(z.norm(dim=1), torch.ones(5))


def test_noise_spans_its_width_and_rounding_is_half_to_even():
    unit = torch.tensor([[0.0, 0.5, 1.0]])
    assert add_noise(torch.zeros(1, 3), unit, 0.75).tolist() == [[-0.75, 0.0, 0.75]]
    values = torch.tensor([[0.5, 1.5, -0.5, 2.4]], requires_grad=True)
    rounded = round_latent(values)
    assert rounded.tolist() == [[0.0, 2.0, 0.0, 2.0]]
    assert not rounded.requires_grad
