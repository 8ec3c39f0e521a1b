"""When what is scheduled takes effect: at the next period boundary, since it crosses shards."""

from fleet_sim.scenario.scenario import Scenario


def update_times_us(scenario: Scenario) -> list[int]:
    """When the fleet takes up each update, in the scenario's order."""
    return [scenario.control.boundary_us(update.at_us) for update in scenario.train.updates]


def heads_by_time(scenario: Scenario) -> list[tuple[int, str]]:
    """(from when in microseconds, head that answers), rising from 0; of one time the last holds."""
    switches = sorted(scenario.serving.switches, key=lambda switch: switch.at_us)
    taken_up = [(scenario.control.boundary_us(switch.at_us), switch.head) for switch in switches]
    return [(0, scenario.serving.head), *taken_up]
