"""Live cameras: the frozen encoder and the coder run for every frame, and nothing is remembered."""

from typing import TYPE_CHECKING

import numpy as np

from fleet_sim.codec.message import HEADER_BYTES, ideal_millibits
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.engine.cameras import Cameras, Messages, ready_frames, scene_of, version_at
from fleet_sim.engine.fleet import Fleet
from fleet_sim.network.uplink import NEVER, Uplinks
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
        fleet: Fleet,
        expected_bits_VL: np.ndarray,
        version_from_us_V: np.ndarray,
        until_us: int,
        coded: Coded,
    ) -> Messages:
        """Code every frame that becomes ready before `until_us`, at every level, into `coded`; the sizes."""
        count_R = ready_frames(cameras, fleet, until_us)
        from_R = np.concatenate([[0], np.cumsum(count_R)]).astype(np.int64)
        total = int(from_R[-1])
        row_F = np.repeat(np.arange(len(count_R)), count_R)
        frame_F = np.arange(total) - from_R[row_F] + cameras.frame_R[row_F]
        capture_us_F = cameras.phase_us_R[row_F] + frame_F * fleet.frame_period_us
        version_F = np.array([version_at(version_from_us_V, t) for t in capture_us_F], np.int64)
        camera_F = cameras.camera_R[row_F]
        scene_F = np.array(
            [scene_of(fleet.seed, c, f, fleet.scenes) for c, f in zip(camera_F, frame_F, strict=True)],
            np.int64,
        )
        shape = (*expected_bits_VL.shape, total)
        payload_bytes_VLF, ideal_millibits_VLF = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        for v, version in enumerate(self._versions):
            of_version = np.flatnonzero(version_F == v)
            if not len(of_version):
                continue
            latent_MN = version.encoder.latents(self._images_FHWC[scene_F[of_version]])
            ideal_millibits_VLF[v][:, of_version] = ideal_millibits(latent_MN, version.tables).T
            by_level = [version.code(latent_MN, k, frame_F[of_version]) for k in range(shape[1])]
            for m, f in enumerate(of_version):
                messages = [level[m] for level in by_level]
                coded[int(camera_F[f]), int(frame_F[f])] = messages
                payload_bytes_VLF[v, :, f] = [len(message) - HEADER_BYTES for message in messages]
        return Messages(
            payload_bytes_VLF, ideal_millibits_VLF, expected_bits_VL, from_R[:-1], cameras.frame_R.copy()
        )

    @staticmethod
    def forget(coded: Coded, cameras: Cameras, u: Uplinks) -> None:
        """Drop messages of frames that are no longer queued or being sent."""
        kept = set()
        for row, camera in enumerate(cameras.camera_R):
            for place in range(u.length_R[row]):
                at = (u.oldest_R[row] + place) % u.frame_RQ.shape[1]
                kept.add((int(camera), int(u.frame_RQ[row, at])))
        for cell in np.flatnonzero(u.end_us_C != NEVER):
            kept.add((int(cameras.camera_R[u.sending_row_C[cell]]), int(u.sending_frame_C[cell])))
        for key in [key for key in coded if key not in kept]:
            del coded[key]
