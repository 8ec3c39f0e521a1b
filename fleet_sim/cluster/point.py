"""What every member is told of a sweep point, and what shards give for a step of it."""

from dataclasses import dataclass, replace

import numpy as np

from fleet_sim.basics.compiled import read_only
from fleet_sim.cluster.sends import LATENTS, Sends
from fleet_sim.control.names import Own
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.lessons import Lesson
from fleet_sim.engine.sent import Sent


@dataclass(frozen=True)
class Point:
    """What every member must know to begin a sweep point."""

    fleet: Fleet
    named_cells: tuple[int, ...]
    versions: int
    heads: int
    live: bool
    servers_of_member: tuple[int, ...]  # how many servers each server member hosts, in order
    head: int = 0  # the one that answers at first, which controllers' calibration is of
    estimates: bool = False  # whether cameras estimate each frame's answers
    controller: str = "budget"
    own_controller: Own | None = None  # where it is the user's
    window_us: int = 0  # of the alarm; 0 without one
    sends: Sends = LATENTS
    releases: bool = False  # whether answers are counted by head and second
    shadows: bool = False  # whether the head before answers what a released head answers, too
    weighs: bool = False  # whether messages are weighed for what they say of their encoder
    lessons: tuple[Lesson, ...] = ()  # for which servers keep frames: one for each head to be retrained
    classes: int = 0  # that heads tell apart

    def for_steps(self) -> "Point":
        """The same, as compiled steps take it: however it came here, they are compiled once."""
        return replace(self, fleet=read_only(self.fleet))

    @property
    def servers(self) -> int:
        """All of them."""
        return sum(self.servers_of_member)

    def nothing_counted(self) -> Counts:
        """Counts of this point before it begins."""
        fleet = self.fleet
        return Counts.zero(
            self.versions,
            fleet.seconds,
            len(self.named_cells),
            fleet.cells,
            self.servers,
            fleet.counted_groups,
            self.heads,
            -(-fleet.duration_us // self.window_us) if self.window_us else 0,
            fleet.cameras if fleet.metered else 0,
            fleet.downlink.bps > 0,
            self.releases,
        )


@dataclass(frozen=True)
class Delivery:
    """Messages of one shard for the servers of one member; the bytes themselves only travel live."""

    by_server: list[Sent]
    messages: dict[tuple[int, int], bytes]  # (camera, frame) -> message


@dataclass(frozen=True)
class Moved:
    """What a shard counted in one step."""

    counted_VC: np.ndarray
    installs_N5: np.ndarray  # version, second, cameras that took it up then, that could not, that gave it up
