"""Live cameras: the frozen encoder and the coder run for every frame, and nothing is remembered."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fleet_sim.cluster.sends import Sends
from fleet_sim.codec.batches import few_at_a_time
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.engine.cameras import Cameras, Messages, upcoming
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.installs import versions_of
from fleet_sim.engine.views import scene_of
from fleet_sim.network.queues import NONE, Pool
from fleet_sim.network.uplink import Uplinks
from fleet_sim.registry import Bundle

if TYPE_CHECKING:
    from fleet_sim.cluster.codings import Coding
    from fleet_sim.codec.confidence import Confidence

Coded = dict[tuple[int, int], list[bytes]]


class LiveCameras:
    """What a shard's cameras run, and what they see."""

    def __init__(self, spec: CodecSpec, images_FHWC: np.ndarray, sends: Sends):
        self._spec, self._images_FHWC, self._sends = spec, images_FHWC, sends
        self._codings: list[Coding] = []

    def add(self, encoder: Bundle, heads: Sequence[Bundle]) -> None:
        """The next encoder version, with its heads for cameras that run one."""
        # Here, since it takes torch, for which only live shards should pay.
        from fleet_sim.cluster.codings import coding_of
        from fleet_sim.cluster.version import Version

        version = Version(self._spec, encoder, heads, "cpu")
        self._codings.append(coding_of(self._sends, version, self._images_FHWC.shape[1]))

    def encode(
        self,
        cameras: Cameras,
        u: Uplinks,
        fleet: Fleet,
        expected_bits_VL: np.ndarray,
        right_VL: np.ndarray,
        confidence_V: "Sequence[Confidence]",
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
        version_F = np.zeros(total, np.int64)
        versions_of(cameras, version_from_us_V, row_F, capture_us_F, version_F)
        camera_F = u.cameras["camera"][row_F]
        scene_F = np.array(
            [scene_of(fleet, *seen) for seen in zip(camera_F, frame_F, capture_us_F, strict=True)],
            np.int64,
        )
        versions, levels = expected_bits_VL.shape
        right_VFL = np.zeros((versions if confidence_V else 0, total, levels), np.int16)
        sizes_VFL2 = np.zeros((versions, total, levels, 2), np.int32)
        for v, coding in enumerate(self._codings):
            for f_M in few_at_a_time(np.flatnonzero(version_F == v), self._spec.batch):
                seen_M = coding.see(self._images_FHWC[scene_F[f_M]])
                if confidence_V:
                    right_VFL[v, f_M] = confidence_V[v].estimate(seen_M)
                by_level = [coding.code(seen_M, k, frame_F[f_M]) for k in range(levels)]
                bytes_LM = np.array([[len(one) - HEADER_BYTES for one in level] for level in by_level])
                sizes_VFL2[v, f_M, :, 1] = coding.ideal_millibits(seen_M, bytes_LM).T
                sizes_VFL2[v, f_M, :, 0] = bytes_LM.T
                for m, f in enumerate(f_M):
                    coded[int(camera_F[f]), int(frame_F[f])] = [level[m] for level in by_level]
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
