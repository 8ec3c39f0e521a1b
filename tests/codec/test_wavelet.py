"""The wavelet against a plain lifting implementation, and the torch module against PyWavelets."""

import numpy as np
import pytest
import torch

from fleet_sim.codec.wavelet import Wavelet, analyse

# Lifting steps of JPEG 2000 (ISO/IEC 15444-1, annex F): (coefficient, updates the odd samples).
STEPS = {
    "cdf53": [(-0.5, True), (0.25, False)],
    "cdf97": [
        (-1.586134342059924, True),
        (-0.052980118572961, False),
        (0.882911075530934, True),
        (0.443506852043971, False),
    ],
}
GAIN = {"cdf53": np.sqrt(2), "cdf97": np.sqrt(2) / 1.230174104914001}


def lift(signal: np.ndarray, wavelet: str) -> tuple[np.ndarray, np.ndarray]:
    """Low and high half of the last axis, whole-sample symmetric extension, orthonormal-like gains."""
    even, odd = signal[..., ::2].copy(), signal[..., 1::2].copy()
    for coefficient, updates_odd in STEPS[wavelet]:
        if updates_odd:
            right = np.concatenate([even[..., 1:], even[..., -1:]], axis=-1)
            odd += coefficient * (even + right)
        else:
            left = np.concatenate([odd[..., :1], odd[..., :-1]], axis=-1)
            even += coefficient * (odd + left)
    return even * GAIN[wavelet], odd / GAIN[wavelet]


def lift_2d(channel: np.ndarray, wavelet: str, levels: int) -> list[np.ndarray]:
    """Bands of one channel, in the order of the codec; PyWavelets' H and V carry the opposite sign."""
    low_w, high_w = lift(channel, wavelet)
    (ll, h), (v, d) = ([half.T for half in lift(along_width.T, wavelet)] for along_width in (low_w, high_w))
    coarse = [ll] if levels == 1 else lift_2d(ll, wavelet, levels - 1)
    factor = 2 ** (levels - 1)
    fine = [
        band[row::factor, column::factor]
        for band in (-h, -v, d)
        for row in range(factor)
        for column in range(factor)
    ]
    return coarse + fine


@pytest.mark.parametrize("wavelet", ["cdf53", "cdf97"])
@pytest.mark.parametrize(("size", "levels"), [(2, 1), (4, 1), (8, 3), (12, 2), (22, 1), (32, 1), (32, 3)])
def test_analysis_equals_lifting_with_symmetric_extension(wavelet, size, levels):
    images = np.random.default_rng(size).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    bands = analyse(images, wavelet, levels)
    assert bands.shape == (2, 3 * 4**levels, size >> levels, size >> levels)
    assert bands.dtype == np.float32
    for image, image_bands in zip(images, bands, strict=True):
        for colour in range(3):
            expected = lift_2d(image[..., colour] / 255, wavelet, levels)
            got = image_bands[colour * 4**levels : (colour + 1) * 4**levels]
            assert np.abs(got - np.stack(expected)).max() < 2e-6


@pytest.mark.parametrize("wavelet", ["cdf53", "cdf97"])
@pytest.mark.parametrize(("size", "levels"), [(2, 1), (8, 3), (12, 2), (32, 1), (64, 4)])
def test_module_equals_what_the_camera_runs(wavelet, size, levels):
    images = np.random.default_rng(1).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    module = Wavelet(size, wavelet, levels)
    bands = module(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    assert np.abs(bands.numpy() - analyse(images, wavelet, levels)).max() < 1e-5
    assert not module.state_dict()


def test_oblong_images_are_analysed():
    assert analyse(np.zeros((1, 8, 16, 3), np.uint8), "cdf53", 2).shape == (1, 48, 2, 4)


def test_a_side_that_does_not_halve_is_refused():
    with pytest.raises(ValueError, match="multiples of 4, not 6"):
        analyse(np.zeros((1, 8, 6, 3), np.uint8), "cdf53", 2)
    with pytest.raises(ValueError, match="multiples of 2, not 7"):
        Wavelet(7, "cdf53", 1)
