"""What servers watch for the alarm: coded bits beyond what the tables expect, and escapes."""

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.views import scene_of
from fleet_sim.serving.watched import ESCAPED, EXCESS_CENTIBITS, EXCESS_SQUARED, FRAMES, RIGHT


@compiled()
def weighed(frames, head_M, fleet, sizes_VFL2, escaped_VFL):
    """(ideal millibits, is a value escaped?) of each answered frame by a bank, both (M,)."""
    millibits_M = np.zeros(frames.camera.shape[0], np.int64)
    escaped_M = np.zeros(frames.camera.shape[0], np.bool_)
    for m in range(millibits_M.shape[0]):
        if head_M[m] >= 0:
            scene = scene_of(fleet, frames.camera[m], frames.frame[m], frames.capture_us[m])
            millibits_M[m] = sizes_VFL2[frames.version[m], scene, frames.level[m], 1]
            escaped_M[m] = escaped_VFL[frames.version[m], scene, frames.level[m]]
    return millibits_M, escaped_M


@compiled()
def count_watched(
    frames, head_M, right_M, millibits_M, escaped_M, fleet, expected_millibits_VL, window_us, watched_GWQ
):
    """Count answered frames into the window in which they arrived."""
    for m in range(head_M.shape[0]):
        if head_M[m] < 0:
            continue
        watched_Q = watched_GWQ[group_of(fleet, frames.camera[m]), frames.arrive_us[m] // window_us]
        excess = millibits_M[m] - expected_millibits_VL[frames.version[m], frames.level[m]]
        centibits = (excess + 5) // 10
        watched_Q[FRAMES] += 1
        watched_Q[RIGHT] += np.int64(right_M[m])
        watched_Q[EXCESS_CENTIBITS] += centibits
        watched_Q[EXCESS_SQUARED] += centibits * centibits
        watched_Q[ESCAPED] += np.int64(escaped_M[m])
