"""What a user writes: a scenario's YAML as strict models, its sweep, and errors that name line and field."""

from fleet_sim.scenario.load import dump_scenario, load_scenario
from fleet_sim.scenario.meaning import digest_fields
from fleet_sim.scenario.scenario import Scenario
from fleet_sim.scenario.schema import json_schema
from fleet_sim.scenario.sweep import Point, points, repeated
from fleet_sim.scenario.timing import (
    SPLIT,
    Planned,
    heads_by_time,
    releases_of,
    service_times,
    update_times_us,
)

__all__ = [
    "SPLIT",
    "Planned",
    "Point",
    "Scenario",
    "digest_fields",
    "dump_scenario",
    "heads_by_time",
    "json_schema",
    "load_scenario",
    "points",
    "releases_of",
    "repeated",
    "service_times",
    "update_times_us",
]
