import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.codec.pictures import LEVELS, decode, encode, ladder, mean_payload_bits

SIZE = 32


def pictures(count: int = 8) -> np.ndarray:
    """Smooth pictures: a ramp of its own colours each."""
    draws = np.random.default_rng(5)
    ramp_HW = (np.arange(SIZE)[:, None] + np.arange(SIZE)) / (2 * SIZE)
    ends = draws.integers(0, 256, (count, 2, 3))
    images_MHWC = (
        ends[:, 0, None, None] + ramp_HW[None, :, :, None] * (ends[:, 1] - ends[:, 0])[:, None, None]
    )
    return images_MHWC.astype(np.uint8)


@pytest.mark.parametrize("codec", LEVELS)
def test_every_level_comes_back_from_its_bytes_and_higher_ones_nearer(codec: str) -> None:
    images_MHWC = pictures()
    errors = []
    for setting in ladder(codec, SIZE):
        back = np.stack([decode(encode(image, setting), setting, SIZE) for image in images_MHWC])
        assert back.shape == images_MHWC.shape
        errors.append(np.abs(back.astype(float) - images_MHWC).mean())
    assert errors[-1] < 12
    assert errors[-1] <= errors[0]


@given(st.integers(0, 2**32 - 1))
def test_raw_pictures_are_what_was_sent(seed: int) -> None:
    (setting,) = ladder("raw", 8)
    image_HWC = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    payload = encode(image_HWC, setting)
    assert len(payload) == 8 * 8 * 3
    np.testing.assert_array_equal(decode(payload, setting, 8), image_HWC)


@pytest.mark.parametrize("codec", [codec for codec in LEVELS if codec != "raw"])
def test_what_all_files_share_is_not_sent(codec: str) -> None:
    # Of a grey picture little is left: less than a JFIF header, a RIFF container or a main header takes.
    grey_HWC = np.full((SIZE, SIZE, 3), 120, np.uint8)
    assert len(encode(grey_HWC, ladder(codec, SIZE)[0])) < 40


@pytest.mark.parametrize("codec", LEVELS)
def test_expected_sizes_never_fall(codec: str) -> None:
    bits_L = mean_payload_bits(codec, pictures())
    assert len(bits_L) == LEVELS[codec]
    assert (np.diff(bits_L) >= 0).all()
