"""Costs against those of the paper's network, computed by hand from its layers."""

import pytest
import torch

from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.spec import CodecSpec
from trainers.reproduce import complexity
from trainers.reproduce.cost import multiply_adds, size


def test_the_papers_network_costs_what_its_layers_say():
    encoder, decoder = build_encoder(CodecSpec()), build_decoder(CodecSpec(), 10)
    latent = torch.zeros(1, 128)
    assert size(encoder)["parameters"] == pytest.approx(0.81e6, rel=0.01)
    assert multiply_adds(encoder, torch.zeros(1, 12, 16, 16)) == pytest.approx(73e6, rel=0.01)
    assert size(decoder.latent_decoder)["parameters"] == pytest.approx(0.20e6, rel=0.02)
    assert multiply_adds(decoder.latent_decoder, latent) == 128 * 128 * 4 * (1 + 4 + 16)
    assert size(decoder.classifier)["parameters"] == pytest.approx(2.10e6, rel=0.01)
    assert multiply_adds(decoder.classifier, torch.zeros(1, 128, 8, 8)) == pytest.approx(34e6, rel=0.02)


def test_divisions_add_up_their_parts(subject, do):
    subjects = [subject()]
    found = complexity.results(subjects, do(complexity.targets(subjects)))
    assert [row["width"] for row in found["rows"]] == [4, 64]
    for row in found["rows"]:
        parts, divided = row["parts"], row["divisions"]["divided"]
        assert divided["camera"]["multiply_adds"] == sum(
            parts[name]["multiply_adds"] for name in ("wavelet", "encoder")
        )
        whole = row["divisions"]["all on the camera"]["camera"]
        assert whole["parameters"] == divided["camera"]["parameters"] + divided["server"]["parameters"]
        assert all(part["time_us"] > 0 for part in parts.values())
    (chart,) = complexity.charts(found)
    assert len(chart.categories) == 6
