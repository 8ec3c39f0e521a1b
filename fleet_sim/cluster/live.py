"""Live cameras: the frozen encoder and the coder run for every frame, and nothing is remembered."""

from typing import TYPE_CHECKING

import numpy as np

from fleet_sim.codec.message import HEADER_BYTES, ideal_millibits
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.engine.cameras import Cameras, Messages, upcoming, version_at
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.views import scene_of
from fleet_sim.network.queues import NONE, Pool
from fleet_sim.network.uplink import Uplinks
from fleet_sim.registry import Bundle

if TYPE_CHECKING:
    from fleet_sim.cluster.version import Version

Coded = dict[tuple[int, int], list[bytes]]


class LiveCameras:
    """Encoders of a shard's cameras, and what those see."""

    def __init__(self, spec: CodecSpec, images_FHWC: np.ndarray):
        self._spec, self._images_FHWC = spec, images_FHWC
        self._versions: list[Version] = []

    def add(self, encoder: Bundle) -> None:
        """The next encoder version."""
        # Here, since it takes torch, for which only live shards should pay.
        from fleet_sim.cluster.version import Version

        self._versions.append(Version(self._spec, encoder, [], "cpu"))

    def encode(
        self,
        cameras: Cameras,
        u: Uplinks,
        fleet: Fleet,
        expected_bits_VL: np.ndarray,
        right_VL: np.ndarray,
        right_VFL: np.ndarray,
        version_from_us_V: np.ndarray,
        until_us: int,
        coded: Coded,
    ) -> Messages:
        """Code every frame that becomes ready before `until_us`, at every level, into `coded`; the sizes."""
        total = upcoming(cameras, u, fleet, until_us, np.zeros(0, np.int64), np.zeros(0, np.int64))
        row_F, capture_us_F = np.zeros(total, np.int64), np.zeros(total, np.int64)
        upcoming(cameras, u, fleet, until_us, row_F, capture_us_F)
        frame_R = cameras.sources["frame"].astype(np.int64)
        from_R = np.searchsorted(row_F, np.arange(len(frame_R)))
        frame_F = np.arange(total) - from_R[row_F] + frame_R[row_F]
        version_F = np.array([version_at(version_from_us_V, t) for t in capture_us_F], np.int64)
        camera_F = u.cameras["camera"][row_F]
        scene_F = np.array(
            [scene_of(fleet, *seen) for seen in zip(camera_F, frame_F, capture_us_F, strict=True)],
            np.int64,
        )
        versions, levels = expected_bits_VL.shape
        sizes_VFL2 = np.zeros((versions, total, levels, 2), np.int32)
        for v, version in enumerate(self._versions):
            of_version = np.flatnonzero(version_F == v)
            if not len(of_version):
                continue
            latent_MN = version.encoder.latents(self._images_FHWC[scene_F[of_version]])
            sizes_VFL2[v, of_version, :, 1] = ideal_millibits(latent_MN, version.tables)
            by_level = [version.code(latent_MN, k, frame_F[of_version]) for k in range(levels)]
            for m, f in enumerate(of_version):
                messages = [level[m] for level in by_level]
                coded[int(camera_F[f]), int(frame_F[f])] = messages
                sizes_VFL2[v, f, :, 0] = [len(message) - HEADER_BYTES for message in messages]
        return Messages(sizes_VFL2, expected_bits_VL, right_VL, right_VFL, from_R, frame_R)

    @staticmethod
    def forget(coded: Coded, u: Uplinks, pool: Pool) -> None:
        """Drop messages of frames that no queue holds any more."""
        kept = set()
        for camera in u.cameras[u.cameras["length"] > 0]:
            place = camera["first"]
            while place != NONE:
                kept.add((int(camera["camera"]), int(pool.messages[place]["frame"])))
                place = pool.messages[place]["next"]
        for key in [key for key in coded if key not in kept]:
            del coded[key]
