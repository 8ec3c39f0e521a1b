"""The wavelet against a plain lifting implementation, and the torch module against PyWavelets."""

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given
from hypothesis import strategies as st

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


PYWT_NAME, PYWT_EXTRA = {"cdf53": "bior2.2", "cdf97": "bior4.4"}, {"cdf53": 1, "cdf97": 2}


def depth_to_space(bands: np.ndarray, factor: int) -> np.ndarray:
    """(factor**2, h, w) back to (h * factor, w * factor)."""
    _, h, w = bands.shape
    return bands.reshape(factor, factor, h, w).transpose(2, 0, 3, 1).reshape(h * factor, w * factor)


def extended(band: np.ndarray, high: tuple[bool, bool], extra: int) -> np.ndarray:
    """A cropped band as PyWavelets has it. Samples mirror about the signal's ends, so a low half about its
    own first sample and behind its last, a high half before its first and about its last.
    """
    for axis, is_high in enumerate(high):
        left, right = ("symmetric", "reflect") if is_high else ("reflect", "symmetric")
        for mode, sides in ((left, (extra, 0)), (right, (0, extra))):
            band = np.pad(band, [sides if axis == a else (0, 0) for a in range(2)], mode=mode)
    return band


def synthesised(bands: np.ndarray, wavelet: str, levels: int) -> np.ndarray:
    """One channel back from its bands, by PyWavelets' inverse level by level."""
    low, begin = bands[0].astype(np.float64), 1
    for level in range(levels):
        factor = 2**level
        high = [depth_to_space(part, factor) for part in np.split(bands[begin : begin + 3 * factor**2], 3)]
        begin += 3 * factor**2
        extra = PYWT_EXTRA[wavelet]
        places = [(True, False), (False, True), (True, True)]
        details = tuple(extended(band, place, extra) for band, place in zip(high, places, strict=True))
        low = pywt.idwt2((extended(low, (False, False), extra), details), PYWT_NAME[wavelet], mode="reflect")
    return low


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["cdf53", "cdf97"]),
    st.sampled_from([(16, 1), (16, 2), (24, 3), (48, 4), (256, 4)]),
)
def test_every_level_is_reconstructed_perfectly(seed, wavelet, shape):
    size, levels = shape
    image = np.random.default_rng(seed).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    bands = analyse(image, wavelet, levels)[0]
    for colour in range(3):
        back = synthesised(bands[colour * 4**levels : (colour + 1) * 4**levels], wavelet, levels)
        assert np.abs(back - image[0, ..., colour] / 255).max() < 1e-5


@pytest.mark.parametrize("wavelet", ["cdf53", "cdf97"])
def test_inner_coefficients_are_those_of_wavedec2(wavelet):
    # At its borders a periodic transform differs from JPEG 2000's, inside it does not.
    size, levels = 256, 3
    image = np.random.default_rng(4).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    bands = analyse(image, wavelet, levels)[0, : 4**levels]
    low, *details = pywt.wavedec2(
        image[0, ..., 0] / 255, PYWT_NAME[wavelet], mode="periodization", level=levels
    )
    expected, got, begin = [low], [bands[0]], 1
    for level, of_level in enumerate(details):
        expected += of_level
        got += [depth_to_space(part, 2**level) for part in np.split(bands[begin : begin + 3 * 4**level], 3)]
        begin += 3 * 4**level
    for ours, theirs in zip(got, expected, strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs)[6:-6, 6:-6].max() < 1e-5


def test_oblong_images_are_analysed():
    assert analyse(np.zeros((1, 8, 16, 3), np.uint8), "cdf53", 2).shape == (1, 48, 2, 4)


def test_a_side_that_does_not_halve_is_refused():
    with pytest.raises(ValueError, match="multiples of 4, not 6"):
        analyse(np.zeros((1, 8, 6, 3), np.uint8), "cdf53", 2)
    with pytest.raises(ValueError, match="multiples of 2, not 7"):
        Wavelet(7, "cdf53", 1)
