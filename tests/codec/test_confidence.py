"""A camera's own estimate: calibrated on images never seen, the same however many frames it is asked of."""

import numpy as np
import pytest

from fleet_sim.codec.confidence import SCALE, Confidence

LADDER = (1, 3, 8)


def clouds(count: int, seed: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents of classes that overlap, and whether a reader of the first k values would be right."""
    rng = np.random.default_rng(seed)
    centre_KN = np.random.default_rng(0).normal(0, 3, (classes, 8))
    label_M = rng.integers(0, classes, count)
    latent_MN = np.rint(centre_KN[label_M] + rng.normal(0, 3, (count, 8))).astype(np.int32)
    right_LM = np.stack(
        [
            ((latent_MN[:, None, :k] - centre_KN[None, :, :k]) ** 2).sum(axis=2).argmin(axis=1) == label_M
            for k in LADDER
        ]
    )
    return latent_MN, label_M, right_LM


@pytest.fixture(scope="module")
def confidence() -> Confidence:
    return Confidence.fit(*clouds(4000, 1), LADDER)


def test_of_frames_held_as_likely_as_many_are_right(confidence: Confidence) -> None:
    latent_MN, _, right_LM = clouds(4000, 2)
    estimate_ML = confidence.estimate(latent_MN) / SCALE
    for level in range(len(LADDER)):
        sure = estimate_ML[:, level] > np.median(estimate_ML[:, level])
        for chosen in (sure, ~sure):
            expected, real = estimate_ML[chosen, level].mean(), right_LM[level, chosen].mean()
            assert abs(expected - real) < 0.05  # three deviations of two times 2000 images
        assert right_LM[level, sure].mean() > right_LM[level, ~sure].mean() + 0.1


def test_a_frame_alone_is_estimated_as_among_others(confidence: Confidence) -> None:
    latent_MN = clouds(300, 3)[0]
    together_ML = confidence.estimate(latent_MN)
    alone_ML = np.concatenate([confidence.estimate(latent_MN[m : m + 1]) for m in range(300)])
    np.testing.assert_array_equal(together_ML, alone_ML)


def test_two_classes_are_enough() -> None:
    latent_MN, label_M, right_LM = clouds(400, 4, classes=2)
    estimate_ML = Confidence.fit(latent_MN, label_M, right_LM, LADDER).estimate(latent_MN) / SCALE
    assert np.abs(estimate_ML.mean(axis=0) - right_LM.mean(axis=1)).max() < 0.08
