import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.codec.pictures import decode, encode, ladder, mean_payload_bits

CODECS = ("jpeg", "webp", "jpeg2000", "raw")
SIZE = 32


def pictures(count: int = 8, size: int = SIZE) -> np.ndarray:
    """Smooth pictures: a ramp of its own colours each."""
    draws = np.random.default_rng(5)
    ramp_HW = (np.arange(size)[:, None] + np.arange(size)) / (2 * size)
    ends = draws.integers(0, 256, (count, 2, 3))
    images_MHWC = (
        ends[:, 0, None, None] + ramp_HW[None, :, :, None] * (ends[:, 1] - ends[:, 0])[:, None, None]
    )
    return images_MHWC.astype(np.uint8)


@pytest.mark.parametrize("size", [SIZE, 256])
@pytest.mark.parametrize("codec", CODECS)
def test_every_level_comes_back_from_its_bytes_and_higher_ones_nearer(codec: str, size: int) -> None:
    images_MHWC = pictures(size=size)
    errors = []
    for setting in ladder(codec, size):
        back = np.stack([decode(encode(image, setting), setting, size) for image in images_MHWC])
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


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != "raw"])
def test_what_all_files_share_is_not_sent(codec: str) -> None:
    # Of a grey picture little is left: less than a JFIF header, a RIFF container or a main header takes.
    grey_HWC = np.full((SIZE, SIZE, 3), 120, np.uint8)
    assert len(encode(grey_HWC, ladder(codec, SIZE)[0])) < 40


@pytest.mark.parametrize("size", [SIZE, 128])
@pytest.mark.parametrize("codec", CODECS)
def test_expected_sizes_never_fall(codec: str, size: int) -> None:
    bits_L = mean_payload_bits(codec, pictures(size=size))
    assert len(bits_L) == len(ladder(codec, size))
    assert (np.diff(bits_L) >= 0).all()


@pytest.mark.parametrize("codec", ["jpeg", "webp", "jpeg2000"])
def test_large_pictures_are_made_as_small_as_others_before_they_are_given_up(codec: str) -> None:
    small, large = ladder(codec, SIZE), ladder(codec, 256)
    assert large[0] == small[0]
    assert [setting.quality for setting in large[3:]] == [setting.quality for setting in small]
    assert [setting.side for setting in large[3:]] == [8 * setting.side for setting in small]
    assert [setting.side for setting in large[:4]] == [small[0].side << i for i in range(4)]
