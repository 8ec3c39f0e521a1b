from pathlib import Path

import jsonschema
import pytest

from fleet_sim.scenario import json_schema, load_scenario, points
from fleet_sim.scenario.document import read
from fleet_sim.scenario.schema import reference_table

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
TYPICAL = """
name: typical
duration_us: 60 s
link: {budget_bps: 20 kbit/s, propagation_us: 20 ms, buffer_bytes: 1.5 kB}
serving: {deadline_us: 500000, switches: [{at_us: 30 s, head: svm}]}
train: {e2e: {epochs: 3, learning_rate: 1e-2}}
sweep:
  link.budget_bps: [20 kbit/s, 1e5]
  fleet.cameras: [100, 200]
"""


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.name)
def test_every_scenario_here_loads_and_fits_the_schema(file: Path) -> None:
    load_scenario(file)
    jsonschema.validate(read(file).values, json_schema())


def test_a_typical_scenario_with_units_fits_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "typical.yaml"
    file.write_text(TYPICAL)
    load_scenario(file)
    jsonschema.validate(read(file).values, json_schema())


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 1},
        {"name": "x", "lnk": {}},
        {"name": "x", "link": {"budget_bps": "5 ms"}},
        {"name": "x", "sweep": {"train.workers": [1]}},
        {"name": "x", "sweep": {"fleet.cameras": []}},
        {"name": "x", "mode": "bnk"},
    ],
)
def test_an_editor_marks_what_loading_refuses(wrong: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema())


def test_the_page_on_scenarios_lists_every_field_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text()
    assert reference_table() in page, "replace the table by fleet_sim.scenario.schema.reference_table()"


def test_the_example_on_that_page_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenario.md").read_text()
    file = tmp_path / "my-fleet.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    assert len(points(load_scenario(file))) == 6
