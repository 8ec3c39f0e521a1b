"""The scenario's JSON Schema, for editors that complete and check YAML."""

from typing import Any

from fleet_sim.scenario.scenario import Scenario
from fleet_sim.scenario.sweep import sweepable


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a scenario file."""
    schema = Scenario.model_json_schema()
    sweep = schema["properties"]["sweep"]
    sweep["propertyNames"] = {"enum": sweepable()}
    sweep["additionalProperties"]["minItems"] = 1
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
