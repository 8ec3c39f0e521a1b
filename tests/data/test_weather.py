"""Images in bad weather and bad light."""

import numpy as np
import pytest

from fleet_sim.data.looks import CLEAR, Kind, Look
from fleet_sim.data.weather import seen

rng = np.random.default_rng(0)
IMAGES = rng.integers(0, 256, (10, 32, 32, 3), np.uint8)
KINDS: tuple[Kind, ...] = ("fog", "blur", "noise", "night")


def apart(look: Look) -> float:
    """Mean distance of pixels from the clear image."""
    return float(np.abs(seen(IMAGES, look, 1).astype(float) - IMAGES).mean())


def test_clear_images_are_themselves() -> None:
    np.testing.assert_array_equal(seen(IMAGES, CLEAR, 1), IMAGES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_severity_changes_an_image_more(kind: Kind) -> None:
    distances = [apart(Look(kind, severity)) for severity in range(1, 6)]
    assert distances == sorted(distances)
    assert distances[0] > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_look_follows_from_the_seed(kind: Kind) -> None:
    look = Look(kind, 3)
    np.testing.assert_array_equal(seen(IMAGES, look, 1), seen(IMAGES, look, 1))
    assert seen(IMAGES, look, 1).dtype == np.uint8


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_seen_the_same_however_many_at_a_time(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seen(IMAGES, Look(kind, 4), 1)
    monkeypatch.setattr("fleet_sim.data.weather._TOGETHER", 3)
    np.testing.assert_array_equal(seen(IMAGES, Look(kind, 4), 1), whole)


def test_fog_takes_contrast_and_most_of_it_above() -> None:
    foggy = seen(IMAGES, Look("fog", 3), 1).astype(float)
    assert foggy[:, 0].std() < foggy[:, -1].std() < IMAGES[:, -1].std()


def test_night_leaves_the_light_it_says() -> None:
    dark = seen(IMAGES, Look("night", 3), 1).astype(float)
    assert dark.mean() / IMAGES.mean() == pytest.approx(0.3, abs=0.01)


def test_blur_keeps_the_light_and_loses_detail() -> None:
    soft = seen(IMAGES, Look("blur", 5), 1).astype(float)
    assert soft.mean() == pytest.approx(IMAGES.mean(), abs=1)
    assert np.abs(np.diff(soft, axis=2)).mean() < np.abs(np.diff(IMAGES.astype(float), axis=2)).mean() / 2
