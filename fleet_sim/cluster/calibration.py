"""What an encoder version's users may know of its accuracy before they see the scenes."""

from dataclasses import dataclass

import numpy as np

MOST_IMAGES = 1000
"""Validation images that a calibration takes at most: a share of right answers is then known to 1.6 %."""


@dataclass(frozen=True)
class Calibration:
    """Measured on validation images, which no one trained on and no camera sees."""

    right_HL: np.ndarray  # float64, share of right answers by head and level
