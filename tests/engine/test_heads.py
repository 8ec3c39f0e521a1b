"""Heads side by side: a camera keeps its head, shares are as asked, and every answer is counted once."""

import numpy as np
import pytest

from fleet_sim.basics.hashing import STREAM_ROLLOUT, STREAM_SPLIT
from fleet_sim.engine.fleet import NO_MIXES, Mixes
from fleet_sim.engine.heads import NO_HEAD, by_camera, with_mixes

HEADS, SPLIT = 6, 7
NO_MIX, SPLIT_MIX = [1_000_000] * 3, [200_000, 500_000, 1_000_000]
MIXES = Mixes(
    np.array([STREAM_ROLLOUT, STREAM_SPLIT]),
    np.array([0, 0]),
    np.array([NO_MIX, SPLIT_MIX]),
    np.array([[5, 5, 5], [4, 2, 0]]),
)


def heads_of(camera_M: np.ndarray, seed: int = 3) -> np.ndarray:
    head_M = np.full(len(camera_M), SPLIT, np.int16)
    otherwise_M = np.full(len(camera_M), NO_HEAD, np.int16)
    by_camera(head_M, otherwise_M, camera_M, seed, HEADS, MIXES)
    assert (otherwise_M == np.where(head_M == 0, NO_HEAD, 0)).all()  # the last of the split is head 0
    return head_M


def test_shares_are_as_asked() -> None:
    cameras = 100_000
    head_M = heads_of(np.arange(cameras, dtype=np.int32))
    for head, share in ((4, 0.2), (2, 0.3), (0, 0.5)):
        deviation = np.sqrt(share * (1 - share) / cameras)
        assert (head_M == head).mean() == pytest.approx(share, abs=4 * deviation)


def test_a_camera_keeps_its_head_whoever_else_is_there_but_not_under_another_seed() -> None:
    camera_M = np.arange(1000, dtype=np.int32)
    assert (heads_of(camera_M[::-1])[::-1] == heads_of(camera_M)).all()
    assert (heads_of(camera_M, seed=4) != heads_of(camera_M)).any()


def test_what_is_not_split_stays() -> None:
    head_M = np.array([SPLIT, -1, 3, SPLIT], np.int16)
    otherwise_M = np.full(4, NO_HEAD, np.int16)
    by_camera(head_M, otherwise_M, np.arange(4, dtype=np.int32), 3, HEADS, MIXES)
    assert otherwise_M[1:3].tolist() == [NO_HEAD, NO_HEAD]
    assert head_M[1:3].tolist() == [-1, 3]
    assert set(head_M[[0, 3]].tolist()) <= {4, 2, 0}


def test_a_batch_of_a_mix_takes_what_its_slowest_head_takes() -> None:
    service_us_HN = np.array([[0, 5, 9], [0, 7, 8], [0, 1, 99]])
    mixes = Mixes(*[np.zeros(2, np.int64)] * 2, np.full((2, 2), 10**6), np.array([[0, 1], [1, 1]]))
    assert with_mixes(service_us_HN, mixes).tolist() == [
        *service_us_HN.tolist(),
        [0, 7, 9],
        [0, 7, 8],
    ]
    assert with_mixes(service_us_HN, NO_MIXES).tolist() == service_us_HN.tolist()
