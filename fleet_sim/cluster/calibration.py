"""What an encoder version's users may know of its accuracy before they see the scenes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # it takes scikit-learn, for which shards should not pay
    from fleet_sim.codec.confidence import Confidence

MOST_IMAGES = 2000
"""Validation images that a calibration takes at most: a share of right answers is then known to 1.1 %."""


@dataclass(frozen=True)
class Calibration:
    """Measured on validation images, which no one trained on and no camera sees."""

    right_HL: np.ndarray  # float64, share of right answers by head and level
    confidence_H: "tuple[Confidence, ...]"  # of each head; none where no controller asks for it
