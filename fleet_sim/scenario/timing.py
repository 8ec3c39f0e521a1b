"""When what is scheduled takes effect, at the next period boundary as it crosses shards; service times."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.serving.table import Decoder, line_us, read_table

SPLIT = "a/b"  # no head can have this name


def update_times_us(scenario: Scenario) -> list[int]:
    """When the fleet takes up each update, in the scenario's order."""
    return [scenario.control.boundary_us(update.at_us) for update in scenario.train.updates]


def heads_by_time(scenario: Scenario, retrained: Sequence[tuple[int, str]] = ()) -> list[tuple[int, str]]:
    """(from when in microseconds, head that answers), rising from 0; of one time the last holds.

    `retrained`: the same of heads that were retrained while the fleet worked. In place of a head stands SPLIT
    while several answer; the first switch ends that. Where switches are releases, only the first head is sure
    to answer.
    """
    first = (0, SPLIT if scenario.serving.split else scenario.serving.head)
    if scenario.rollout:
        return [first]
    return [first, *sorted([*_switches(scenario), *retrained], key=lambda change: change[0])]


class Planned(NamedTuple):
    """A head or an encoder for a growing share of the cameras, from this boundary on at the earliest."""

    at_us: int
    head: str | None  # None: an encoder, that of the update whose place is ...
    version: int = 0  # ... one less than this

    @property
    def name(self) -> str:
        """As reports call it."""
        return f"encoder {self.version}" if self.head is None else f"head {self.head}"


def releases_of(scenario: Scenario, retrained: Sequence[tuple[int, str]] = ()) -> list[Planned]:
    """The releases by number: those known from the start in order of time, then `retrained` heads in theirs.

    None where there is no `rollout`.
    """
    if scenario.rollout is None:
        return []
    encoders = [Planned(at_us, None, version) for version, at_us in enumerate(update_times_us(scenario), 1)]
    heads = [Planned(*switch) for switch in _switches(scenario)]
    known = sorted([*encoders, *heads], key=lambda plan: plan.at_us)
    return [*known, *(Planned(*head) for head in retrained)]


def _switches(scenario: Scenario) -> list[tuple[int, str]]:
    switches = sorted(scenario.serving.switches, key=lambda switch: switch.at_us)
    return [(scenario.control.boundary_us(switch.at_us), switch.head) for switch in switches]


def service_times(scenario: Scenario) -> np.ndarray:
    """Microseconds that each of scenario.heads takes for a batch of n frames, (heads, serving.batch + 1).

    Raises UserError where serving.table does not say.
    """
    serving, codec, heads = scenario.serving, scenario.codec, scenario.heads
    if serving.table is None:
        line_us_N = line_us(serving.batch_us, serving.frame_us, serving.batch)
        return np.stack([line_us_N] * len(heads))
    table, _ = read_table(serving.table)
    device = "cuda" if serving.num_gpus else "cpu"
    decoder = Decoder(codec.depth, codec.width, codec.neurons)
    times_us = []
    try:
        for head in heads:
            if head.kind == "own":
                raise UserError(f"has no times of a head of one's own ('{head.name}')")
            times_us.append(table.service_us(device, head.kind, decoder, serving.batch))
    except UserError as error:
        raise UserError(f"{serving.table}: {error}") from None
    return np.stack(times_us)
