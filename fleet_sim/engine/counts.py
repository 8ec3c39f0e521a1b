"""What a run counts. Counts add: merging shards, servers and epochs is exact and order-free."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fleet_sim.basics.errors import RunError
from fleet_sim.camera.energy import Did
from fleet_sim.engine.air import AIR_COLUMNS
from fleet_sim.serving.replicas import WORK
from fleet_sim.serving.watched import WATCHED

DROP_REASONS = ("buffer", "deadline", "loss", "outage", "corrupt", "incompatible", "shed", "skipped", "busy")
COLUMNS = (
    "offered",
    "sent",
    "level_sum",
    "payload_bits",
    "wire_bits",
    "ideal_millibits",
    "answered",
    "right",
    "right_on_time",
    "on_time",
    "latency_us_sum",
    "packets",
    "packets_lost",
    *(f"dropped_{reason}" for reason in DROP_REASONS),
)
(
    OFFERED,
    SENT,
    LEVEL_SUM,
    PAYLOAD_BITS,
    WIRE_BITS,
    IDEAL_MILLIBITS,
    ANSWERED,
    RIGHT,
    RIGHT_ON_TIME,
    ON_TIME,
    LATENCY_US_SUM,
    PACKETS,
    PACKETS_LOST,
    DROPPED_BUFFER,
    DROPPED_DEADLINE,
) = range(15)

FIRST_COLUMNS = 19
"""So many columns were there at first: those behind them enter a digest only where something was counted."""
DROPPED_INCOMPATIBLE = COLUMNS.index("dropped_incompatible")
DROPPED_SHED = COLUMNS.index("dropped_shed")
DROPPED_BUSY = COLUMNS.index("dropped_busy")
DROPPED_SKIPPED = COLUMNS.index("dropped_skipped")  # its controller chose not to send it

HEAD_COLUMNS = ("answered", "right", "right_on_time")

# Upper edges of the latency histogram: 16 bins an octave from 128 us to two hours; the last bin has no edge.
BINS_AN_OCTAVE = 16
LATENCY_EDGES_US = np.unique(
    np.floor(2.0 ** (7 + np.arange(26 * BINS_AN_OCTAVE) / BINS_AN_OCTAVE)).astype(np.int64)
)


class Tallies(NamedTuple):
    """Counts by virtual second, as compiled steps fill them."""

    by_second_VSC: np.ndarray
    cells_KSC: np.ndarray
    groups_GSC: np.ndarray


@dataclass(frozen=True)
class Counts:
    """Everything counted at one sweep point, or a part of it.

    An event counts in the virtual second in which it happens: a frame is offered when captured, sent when its
    transmission ends, dropped when dropped, answered when its batch is done.
    """

    by_second_VSC: np.ndarray  # int64; V encoder versions, S virtual seconds, C COLUMNS
    cells_KSC: np.ndarray  # the same for the K cells named in report.cells, versions together
    groups_GSC: np.ndarray  # and for the G groups of cameras; empty where all cameras are alike
    latency_VB: np.ndarray  # answered frames by latency bin
    wire_bits_by_cell: np.ndarray  # every cell's sent wire bits
    work_PQ: np.ndarray  # what each server did: serving.replicas.WORK
    watched_GWQ: np.ndarray  # for the alarm, by group and window: serving.watched.WATCHED
    in_flight: int  # frames captured and neither answered nor dropped when the run ended
    by_head_HC: np.ndarray  # what became of the frames that each of H heads answered: HEAD_COLUMNS
    did_R4: np.ndarray  # every camera's camera.energy.Did; empty where they have no processor
    air_VGSQ: np.ndarray  # encoders over the air, by version, group, second: AIR_COLUMNS; or empty
    answers_GVHS3: np.ndarray  # answers, their labels, labels saying right: by group, version, head, second
    events_E4: np.ndarray  # of releases, in order: number, at_us, registry.rollout.Change, share in ppm

    @staticmethod
    def zero(
        versions: int,
        seconds: int,
        named_cells: int,
        cells: int,
        servers: int,
        groups: int = 0,
        heads: int = 0,
        windows: int = 0,
        metered: int = 0,
        air: bool = False,
        releases: bool = False,
    ) -> "Counts":
        """Nothing counted yet; `windows` of the alarm, `metered` cameras, encoders that travel by `air`.

        `releases`: whether answers are counted by head and second.
        """
        return Counts(
            np.zeros((versions, seconds, len(COLUMNS)), np.int64),
            np.zeros((named_cells, seconds, len(COLUMNS)), np.int64),
            np.zeros((groups, seconds, len(COLUMNS)), np.int64),
            np.zeros((versions, len(LATENCY_EDGES_US) + 1), np.int64),
            np.zeros(cells, np.int64),
            np.zeros((servers, len(WORK)), np.int64),
            np.zeros((max(1, groups), windows, len(WATCHED)), np.int64),
            0,
            np.zeros((heads, len(HEAD_COLUMNS)), np.int64),
            np.zeros((metered, len(Did._fields)), np.int64),
            np.zeros((versions if air else 0, max(1, groups), seconds, len(AIR_COLUMNS)), np.int64),
            np.zeros((max(1, groups), versions, heads, seconds if releases else 0, 3), np.int64),
            np.zeros((0, 4), np.int64),
        )

    def copy(self) -> "Counts":
        """The same in arrays of its own, free to be counted into."""
        return Counts(
            np.array(self.by_second_VSC),
            np.array(self.cells_KSC),
            np.array(self.groups_GSC),
            np.array(self.latency_VB),
            np.array(self.wire_bits_by_cell),
            np.array(self.work_PQ),
            np.array(self.watched_GWQ),
            self.in_flight,
            np.array(self.by_head_HC),
            np.array(self.did_R4),
            np.array(self.air_VGSQ),
            np.array(self.answers_GVHS3),
            np.array(self.events_E4),
        )

    def __add__(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(
            self.by_second_VSC + other.by_second_VSC,
            self.cells_KSC + other.cells_KSC,
            self.groups_GSC + other.groups_GSC,
            self.latency_VB + other.latency_VB,
            self.wire_bits_by_cell + other.wire_bits_by_cell,
            self.work_PQ + other.work_PQ,
            self.watched_GWQ + other.watched_GWQ,
            self.in_flight + other.in_flight,
            self.by_head_HC + other.by_head_HC,
            self.did_R4 + other.did_R4,
            self.air_VGSQ + other.air_VGSQ,
            self.answers_GVHS3 + other.answers_GVHS3,
            _in_order(np.concatenate([self.events_E4, other.events_E4])),
        )

    @property
    def tallies(self) -> Tallies:
        """What compiled steps count into."""
        return Tallies(self.by_second_VSC, self.cells_KSC, self.groups_GSC)

    @property
    def total_C(self) -> np.ndarray:
        """Sums over versions and seconds, (C,) int64."""
        total: np.ndarray = self.by_second_VSC.sum(axis=(0, 1))
        return total

    def check_conservation(self) -> None:
        """Raise RunError unless offered = answered + dropped + in flight, and heads answered what was."""
        total_C = self.total_C
        ended = int(total_C[ANSWERED] + total_C[DROPPED_BUFFER:].sum())
        if int(total_C[OFFERED]) != ended + self.in_flight:
            raise RunError(
                f"frames got lost: {int(total_C[OFFERED])} offered, {int(total_C[ANSWERED])} answered, "
                f"{int(total_C[DROPPED_BUFFER:].sum())} dropped, {self.in_flight} in flight"
            )
        if self.by_head_HC.sum(axis=0).tolist() != total_C[[ANSWERED, RIGHT, RIGHT_ON_TIME]].tolist():
            raise RunError("the answers of all heads are not those of the fleet")


def _in_order(events_E4: np.ndarray) -> np.ndarray:
    """Sorted by release, then time, then what happened."""
    return events_E4[np.lexsort(events_E4.T[::-1])]
