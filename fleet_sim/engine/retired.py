"""Messages of encoders that servers no longer have a decoder for: counted when they arrive, never guessed."""

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.engine import counts as c
from fleet_sim.engine.cameras import MICRO
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.engine.groups import group_of
from fleet_sim.engine.sent import Sent, take


def unreadable(arrived: Sent, schedule: Schedule, fleet: Fleet) -> np.ndarray:
    """Places of the messages that arrive, within the run, when their version has no decoder any more.

    What is on its way when that is decided arrives sooner, so each message is looked at once.
    """
    if not len(schedule.retired_us_V):
        return np.zeros(0, np.int64)
    retired_us_M = schedule.retired_us_V[arrived.version]
    return np.flatnonzero((arrived.arrive_us >= retired_us_M) & (arrived.arrive_us < fleet.duration_us))


def without(arrived: Sent, place_N: np.ndarray) -> Sent:
    """All messages but those at these places."""
    kept_M = np.ones(len(arrived.camera), np.bool_)
    kept_M[place_N] = False
    return take(arrived, kept_M)


@compiled()
def count_unreadable(dropped, fleet, named_K, tallies):
    """Count messages as dropped when they arrive."""
    for m in range(dropped.camera.shape[0]):
        second, camera = dropped.arrive_us[m] // MICRO, dropped.camera[m]
        tallies.by_second_VSC[dropped.version[m], second, c.DROPPED_INCOMPATIBLE] += 1
        for k in range(named_K.shape[0]):
            if camera % fleet.cells == named_K[k]:
                tallies.cells_KSC[k, second, c.DROPPED_INCOMPATIBLE] += 1
        if tallies.groups_GSC.shape[0] > 0:
            tallies.groups_GSC[group_of(fleet, camera), second, c.DROPPED_INCOMPATIBLE] += 1
