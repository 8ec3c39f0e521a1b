"""Which encoder a camera has, and since when: the last few that it took up."""

import numpy as np

from fleet_sim.basics.compiled import bare, inlined

# A camera takes up one version at most between two orders, and orders are a period apart, which is longer
# than a frame takes to encode: so no frame that is not yet coded is older than the third last.
KEPT = 3


def at_first(cameras: int) -> tuple[np.ndarray, np.ndarray]:
    """The installs of cameras that come with version 0: (versions_R3, since_us_R3), the newest last."""
    return np.zeros((cameras, KEPT), np.int16), np.zeros((cameras, KEPT), np.int64)


@inlined()
def version_of(cameras, version_from_us_V, row, time_us):
    """The encoder that a camera codes a frame of this time with.

    Where versions do not travel every camera has each from version_from_us_V on.
    """
    version = 0
    if cameras.since_us_R3.shape[0] > 0:
        for k in range(KEPT):
            if cameras.since_us_R3[row, k] <= time_us:
                version = np.int64(cameras.versions_R3[row, k])
        return version
    for v in range(1, version_from_us_V.shape[0]):
        if version_from_us_V[v] <= time_us:
            version = v
    return version


@bare()
def versions_of(cameras, version_from_us_V, row_F, time_us_F, version_F):
    """Fill version_F with what these cameras (rows) code frames of these times with."""
    for f in range(row_F.shape[0]):
        version_F[f] = version_of(cameras, version_from_us_V, row_F[f], time_us_F[f])


@inlined()
def take_up(cameras, row, version, at_us):
    """Let a camera have this version from a time on that is not before its last."""
    for k in range(KEPT - 1):
        cameras.versions_R3[row, k] = cameras.versions_R3[row, k + 1]
        cameras.since_us_R3[row, k] = cameras.since_us_R3[row, k + 1]
    cameras.versions_R3[row, KEPT - 1] = version
    cameras.since_us_R3[row, KEPT - 1] = at_us


@inlined()
def take_back(cameras, row):
    """Undo the last of a camera's installs."""
    for k in range(KEPT - 1, 0, -1):
        cameras.versions_R3[row, k] = cameras.versions_R3[row, k - 1]
        cameras.since_us_R3[row, k] = cameras.since_us_R3[row, k - 1]


@inlined()
def newest(cameras, row):
    """The version that a camera has, or will have once it is installed."""
    return np.int64(cameras.versions_R3[row, KEPT - 1])


@inlined()
def one_before(cameras, row):
    """The version that a camera had before, and has kept."""
    return np.int64(cameras.versions_R3[row, KEPT - 2])


@inlined()
def newest_since_us(cameras, row):
    """From when on."""
    return cameras.since_us_R3[row, KEPT - 1]
