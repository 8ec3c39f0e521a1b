"""What the driver knows of the encoders that are published by now."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fleet_sim.engine.weighings import NOTHING_SAID


class Stated(NamedTuple):
    """What a version does with n validation images at each level, for a guard without labels."""

    answer_HLn: np.ndarray  # classes that its heads give
    says_LnQ: np.ndarray = NOTHING_SAID  # its messages (engine.weighings), where encoders are released


class Published(NamedTuple):
    """From when on each encoder is in use, what brings it to a camera, and what is stated of it.

    What brings one depends on which of those before it the camera has: their places in its `content_bytes`.
    """

    from_us: Sequence[int]
    content_bytes: Sequence[Sequence[int]]  # nothing for the first, which cameras come with
    stated: Sequence[Stated] = ()  # where a guard goes by it
