"""What an encoder version's users may know of its accuracy before they see the scenes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleet_sim.basics.errors import UserError

if TYPE_CHECKING:  # it takes scikit-learn, for which shards should not pay
    from fleet_sim.codec.confidence import Confidence

MOST_IMAGES = 2000
"""Validation images that a calibration takes at most: a share of right answers is then known to 1.1 %."""


@dataclass(frozen=True)
class Curves:
    """Of each group of cameras, on validation images as the group sees them at first."""

    payload_bits_GL: np.ndarray  # float64, in the mean
    right_GHL: np.ndarray  # float64, share of right answers by head


def curves_of(
    payload_bytes_LF: np.ndarray, right_HLF: np.ndarray, labels_F: np.ndarray, shares_GK: np.ndarray
) -> Curves:
    """Curves for G mixes of classes; a class that no image has counts as if no camera saw it.

    Raises UserError for a mix without any image.
    """
    of_class_KF = np.arange(shares_GK.shape[1])[:, None] == labels_F
    count_K = of_class_KF.sum(axis=1)
    weight_GK = np.divide(shares_GK, count_K, out=np.zeros_like(shares_GK), where=count_K > 0)
    total_G = (weight_GK * count_K).sum(axis=1)
    if (total_G == 0).any():
        raise UserError(
            "control.allocation: what a group sees is of classes that no validation image has; "
            "set data.validation_share higher"
        )
    weight_GF = weight_GK[:, labels_F] / total_G[:, None]
    # Not as products of matrices, whose sums depend on the number of threads.
    return Curves(
        np.array([(8 * payload_bytes_LF * weight_F).sum(axis=1) for weight_F in weight_GF]),
        np.array([(right_HLF * weight_F).sum(axis=2) for weight_F in weight_GF]),
    )


@dataclass(frozen=True)
class Calibration:
    """Measured on validation images, which no one trained on and no camera sees."""

    right_HL: np.ndarray  # float64, share of right answers by head and level
    confidence_H: "tuple[Confidence, ...]"  # of each head; none where no controller asks for it
