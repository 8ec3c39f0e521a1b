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


PARTS = (
    "link: {capacity: {kind: piecewise, repeat_us: 9 s, steps: [{at_us: 0, weight: 1}]}}",
    "link: {capacity: {kind: trace, path: x.up}}",
    "link: {capacity: {kind: markov, slot_us: 1 s, weights: [2, 1], dwell_us: [3 s, 4 s]}}",
    "link: {capacity: {kind: token_bucket, bucket_bytes: 2 kB, line_bps: 1 Mbit/s}}",
    "link: {outages: [{from_us: 1 s, to_us: 2 s}]}",
    "link: {profile: lorawan-eu868-dr3, loss: {kind: bernoulli, p: 0.1}, retries: 2}",
    "link: {loss: {kind: gilbert_elliott, p: 0.1, r: 0.5}}",
    "link: {fading: {kind: blocks, coherence_us: 1 s, weights: [1]}}",
    "fleet: {capture: {kind: bursts, events_per_h: 6, event_us: 20 s, burst_period_us: 200 ms}}",
)


@pytest.mark.parametrize("part", PARTS)
def test_parts_with_kinds_load_and_fit_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.up").write_text("1\n2\n")
    file = tmp_path / "kinds.yaml"
    file.write_text(f"name: kinds\n{part}\n")
    load_scenario(file)
    jsonschema.validate(read(file).values, json_schema())


def test_the_example_on_the_page_on_links_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "links.md").read_text()
    file = tmp_path / "linked.yaml"
    file.write_text("name: linked\n" + page.split("```yaml\n")[1].split("```")[0])
    assert load_scenario(file).link.retries == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": 1},
        {"name": "x", "lnk": {}},
        {"name": "x", "link": {"budget_bps": "5 ms"}},
        {"name": "x", "sweep": {"train.workers": [1]}},
        {"name": "x", "sweep": {"fleet.cameras": []}},
        {"name": "x", "mode": "bnk"},
        {"name": "x", "link": {"loss": {"kind": "bernouli", "p": 0.1}}},
        {"name": "x", "link": {"loss": {"kind": "bernoulli", "p": 2}}},
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
