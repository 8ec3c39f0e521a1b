"""From a scenario's fields to what the members of the fleet are told."""

import numpy as np

from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.engine.fleet import Fleet, Schedule
from fleet_sim.network.build import link_of
from fleet_sim.scenario import Scenario, heads_by_time


def fleet_of(point: Scenario, scenes: int) -> Fleet:
    """The constants of one sweep point."""
    link = link_of(point.link)
    fixed = point.control.level if point.control.controller == "fixed" else -1
    return Fleet(
        seed=point.seed,
        cameras=point.fleet.cameras,
        cells=point.cells,
        duration_us=point.duration_us,
        frame_period_us=point.fleet.frame_period_us,
        encode_us=point.fleet.encode_us,
        budget_bps=link.budget_bps,
        propagation_us=link.propagation_us,
        header_bytes=link.header_bytes + HEADER_BYTES,
        buffer_bytes=link.buffer_bytes,
        deadline_us=point.serving.deadline_us,
        fixed_level=fixed,
        headroom_ppm=round(point.control.headroom * 1_000_000),
        scenes=scenes,
    )


def head_schedule(point: Scenario) -> Schedule:
    """Which head answers from when, as places in train.heads; a switch waits for the next period boundary."""
    places = {head.name: place for place, head in enumerate(point.train.heads)}
    from_us, names = zip(*heads_by_time(point), strict=True)
    return Schedule(np.array(from_us, np.int64), np.array([places[name] for name in names], np.int64))
