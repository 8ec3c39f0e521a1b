"""How a server answers the frames of a batch, from its bank or live, and how it makes sure of that."""

import numpy as np

from fleet_sim.basics.errors import RunError
from fleet_sim.cluster.bank import Bank
from fleet_sim.cluster.host import MemberLost
from fleet_sim.cluster.hosting import Hosting
from fleet_sim.cluster.point import Point
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.engine.answers import audited, scenes_of
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.heads import NO_HEAD
from fleet_sim.engine.sent import Sent, take
from fleet_sim.engine.shadows import Shown, first_shown
from fleet_sim.engine.weighings import Weighed, says, weighed_of


class Answering(Hosting):
    """By the versions that it hosts; of a sweep point it knows what each call says."""

    def _bank_of(self, point: Point) -> Bank:
        bank = self._banks.get(point.sends)
        if bank is None:
            raise MemberLost("no bank is here")
        return bank

    def _classify(self, point: Point, frames: Sent, head_M: np.ndarray, messages: list[bytes]) -> np.ndarray:
        """Decode and classify these messages: was each answer right, (M,) bool?"""
        label_M = self._labels_F[scenes_of(frames, point.fleet)]
        right_M: np.ndarray = self._answers(frames, head_M, messages, point.sends) == label_M
        return right_M

    def _shown(
        self,
        point: Point,
        frames: Sent,
        head_M: np.ndarray,
        before_M: np.ndarray,
        done_us_M: np.ndarray,
        message_M: np.ndarray,
    ) -> Shown:
        """Let the head before answer as well what a released head does, and compare."""
        both_m = np.flatnonzero(before_M != NO_HEAD)
        both, scene_m = take(frames, both_m), scenes_of(take(frames, both_m), point.fleet)
        pair = head_M[both_m], before_M[both_m]
        if point.live:
            messages = message_M[both_m].tolist()
            new_m, old_m = (self._answers(both, head_m, messages, point.sends) for head_m in pair)
        else:
            answer_VHLF = self._bank_of(point).answer_VHLF
            new_m, old_m = (answer_VHLF[both.version, head_m, both.level, scene_m] for head_m in pair)
        agree_m, done_us_m = new_m == old_m, done_us_M[both_m]
        coded_m = scene_m, both.level, both.version
        return first_shown(Shown(done_us_m, both.camera, both.frame, *coded_m, *pair, agree_m))

    def _said(
        self,
        frames: Sent,
        head_M: np.ndarray,
        done_us_M: np.ndarray,
        millibits_M: np.ndarray,
        escaped_M: np.ndarray,
        fleet: Fleet,
    ) -> Weighed:
        """What messages of the answered frames say of their encoders, of each scene the first."""
        says_MQ = says(millibits_M, escaped_M, self._expected_millibits_VL[frames.version, frames.level])
        return weighed_of(frames, head_M, done_us_M, scenes_of(frames, fleet), says_MQ)

    def _audit(
        self, point: Point, audit_ppm: int, frames: Sent, head_M: np.ndarray, right_M: np.ndarray
    ) -> int:
        """Do a sampled share of answers again live; RunError if one differs from the bank. How many."""
        chosen_M = audited(frames, point.fleet, audit_ppm)
        chosen_m = np.flatnonzero(chosen_M & (head_M >= 0))
        if not len(chosen_m):
            return 0
        sample = take(frames, chosen_m)
        scene_M = scenes_of(sample, point.fleet)
        messages = self._code_again(sample, scene_M, point.sends)
        bytes_M = np.array([len(message) - HEADER_BYTES for message in messages])
        banked_M = self._bank_of(point).sizes_VFL2[sample.version, scene_M, sample.level, 0]
        if (other_m := np.flatnonzero(bytes_M != banked_M)).size:
            raise RunError(f"audit: scene {scene_M[other_m[0]]} takes another size live than in the bank")
        if not np.array_equal(self._classify(point, sample, head_M[chosen_m], messages), right_M[chosen_m]):
            raise RunError("audit: a scene is answered otherwise live than in the bank")
        return len(chosen_m)
