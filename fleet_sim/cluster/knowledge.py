"""What oracles know of scenes: sizes, how likely each is answered right, and whether it is."""

from dataclasses import dataclass

import numpy as np

from fleet_sim.cluster.calibration import Calibration
from fleet_sim.engine.best import SCALE, Knows


@dataclass(frozen=True)
class Knowledge:
    """Of F scenes at L levels under H heads."""

    payload_bytes_FL: np.ndarray
    worth_HFL: np.ndarray  # ten-thousandths
    right_HLF: np.ndarray

    def of_head(self, head: int) -> Knows:
        """What is known of one head's answers."""
        return Knows(self.payload_bytes_FL, self.worth_HFL[head], self.right_HLF[head].T)


def without_estimates(calibration: Calibration, scenes: int) -> np.ndarray:
    """(H, F, L) worth of scenes whose messages tell nothing of their own answers: all alike."""
    worth_HL = np.rint(SCALE * calibration.right_HL).astype(np.int16)
    return np.repeat(worth_HL[:, None], scenes, axis=1)
