"""From a YAML file and overrides to a scenario, every point of its sweep checked."""

from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from fleet_sim.basics.errors import UserError
from fleet_sim.control.names import own
from fleet_sim.network.build import link_of
from fleet_sim.network.capacity_spec import TraceSpec
from fleet_sim.network.downlink_spec import downlink_of
from fleet_sim.scenario.allocating import told_after_us
from fleet_sim.scenario.document import Origins, read
from fleet_sim.scenario.errors import explain, line, refuse
from fleet_sim.scenario.override import override
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.scenario.sweep import points
from fleet_sim.scenario.timing import service_times


def load_scenario(
    path: Path, overrides: Sequence[str] = (), note: Callable[[str], None] | None = None
) -> Scenario:
    """The scenario in the file at `path` with `overrides` (``field.path=value``) applied in order.

    `note` is told what overrides do beside what they say. Raises UserError with a line for each thing wrong:
    where it was written, the field, and what would be right. All points of the sweep are checked.
    """
    document = read(path)
    if document.values is None:
        raise UserError(f"{path}: is empty; a scenario needs at least a name, such as `name: my-fleet`")
    if not isinstance(document.values, dict):
        raise UserError(f"{path}:1: expected fields and their values, such as `name: my-fleet`")
    for text in overrides:
        document, notes = override(document, text, Scenario)
        if note is not None:
            for more in notes:
                note(more)
    try:
        scenario = Scenario.model_validate(document.values)
    except ValidationError as error:
        raise refuse(explain(error, Scenario, document.origins)) from None
    for point in points(scenario, document.origins):
        _check_link(point.scenario, document.origins)
        _check_air(point.scenario, document.origins)
        _check_table(point.scenario, document.origins)
        _check_controller(point.scenario, document.origins)
    return scenario


def _check_link(scenario: Scenario, origins: Origins) -> None:
    """UserError, naming the field too, unless the link can be made, and is fast enough for allocations."""
    try:
        link = link_of(scenario.link)
    except UserError as error:
        place = ("link", "capacity", "path" if isinstance(scenario.link.capacity, TraceSpec) else "kind")
        raise refuse([line(origins, place, str(error))]) from None
    try:
        told_after_us(scenario, link)
    except UserError as error:
        raise refuse([line(origins, ("control", "allocation"), str(error))]) from None


def _check_air(scenario: Scenario, origins: Origins) -> None:
    """UserError, naming the field too, unless encoders can travel over the link."""
    try:
        if scenario.air:
            downlink_of(scenario.air, scenario.link)
    except UserError as error:
        field, problem = str(error).split(": ", 1)
        raise refuse([line(origins, tuple(field.split(".")), problem)]) from None


def _check_table(scenario: Scenario, origins: Origins) -> None:
    """UserError, naming the field too, unless there are service times for every head and batch."""
    try:
        service_times(scenario)
    except UserError as error:
        raise refuse([line(origins, ("serving", "table"), str(error))]) from None


def _check_controller(scenario: Scenario, origins: Origins) -> None:
    """UserError, naming the field too, unless a controller of the user's own can be compiled."""
    try:
        source = own(scenario.control.controller)
        if source is not None:
            # Here, since it takes numba, and most scenarios have none of their own.
            from fleet_sim.control.controller import guide_of

            guide_of(scenario.control.controller, source)
    except UserError as error:
        raise refuse([line(origins, ("control", "controller"), str(error))]) from None


def dump_scenario(scenario: Scenario) -> str:
    """The YAML of a scenario with every field written out; loading it gives an equal scenario."""
    text: str = yaml.safe_dump(scenario.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text
