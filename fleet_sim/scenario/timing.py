"""When what is scheduled takes effect, at the next period boundary as it crosses shards; service times."""

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.serving.table import Decoder, line_us, read_table


def update_times_us(scenario: Scenario) -> list[int]:
    """When the fleet takes up each update, in the scenario's order."""
    return [scenario.control.boundary_us(update.at_us) for update in scenario.train.updates]


def heads_by_time(scenario: Scenario) -> list[tuple[int, str]]:
    """(from when in microseconds, head that answers), rising from 0; of one time the last holds."""
    switches = sorted(scenario.serving.switches, key=lambda switch: switch.at_us)
    taken_up = [(scenario.control.boundary_us(switch.at_us), switch.head) for switch in switches]
    return [(0, scenario.serving.head), *taken_up]


def service_times(scenario: Scenario) -> np.ndarray:
    """Microseconds that each head of train.heads takes for a batch of n frames, (heads, serving.batch + 1).

    Raises UserError where serving.table does not say.
    """
    serving, codec, heads = scenario.serving, scenario.codec, scenario.train.heads
    if serving.table is None:
        line_us_N = line_us(serving.batch_us, serving.frame_us, serving.batch)
        return np.stack([line_us_N] * len(heads))
    table, _ = read_table(serving.table)
    device = "cuda" if serving.num_gpus else "cpu"
    decoder = Decoder(codec.depth, codec.width, codec.neurons)
    try:
        times_us = [table.service_us(device, head.kind, decoder, serving.batch) for head in heads]
    except UserError as error:
        raise UserError(f"{serving.table}: {error}") from None
    return np.stack(times_us)
