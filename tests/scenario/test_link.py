"""Links in whole scenarios: refusals that name the line, cells of dedicated links, traces, sweeps."""

# ruff: noqa: E501  the messages are the point: each on one line

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario import Scenario, digest_fields, dump_scenario, load_scenario, points
from fleet_sim.scenario.fields import leaves
from fleet_sim.scenario.sweep import sweepable

REFUSED = {
    "link:\n  profile: nb-iot": "F:3: link.profile: expected custom or lorawan-eu868-dr0 or ",
    "link:\n  capacity:\n    kind: markof": "F:4: link.capacity.kind: expected constant or piecewise or trace or markov or token_bucket or lora, got 'markof'; did you mean markov?",
    "link:\n  capacity: {slot_us: 1 s}": "F:3: link.capacity.kind: this field is needed",
    "link:\n  capacity: markov": "F:3: link.capacity: expected fields and their values, got 'markov'",
    "link:\n  capacity: {kind: trace, pth: x}": "F:3: link.capacity.path: this field is needed",
    "link:\n  loss:\n    kind: bernoulli\n    p: 1.5": "F:5: link.loss.p: must be at most 1.0, got 1.5",
    "link:\n  loss:\n    kind: bernoulli\n    p: true": "F:5: link.loss.p: true is not allowed here",
    "link:\n  loss:\n    kind: bernoulli\n    p: 0.1\n    r: 0.5": "F:6: link.loss.r: no field of kind bernoulli, but of gilbert_elliott",
    "link:\n  fading:\n    kind: blocks\n    coherence_us: 5 kbit/s\n    weights: [1]": "F:5: link.fading.coherence_us: 'kbit/s' is a unit of bit rate",
    "link:\n  capacity:\n    kind: piecewise\n    repeat_us: 10 s\n    steps:\n      - {at_us: 0, weight: 1}\n      - {at_us: 5 s, weigt: 1}": "F:8: link.capacity.steps.1.weight: this field is needed",
    "link:\n  capacity:\n    kind: piecewise\n    steps: [{at_us: 1, weight: 1}]\n    repeat_us: 10 s": "F:5: link.capacity.steps: steps must start at 0",
    "link:\n  sharing: aloha\n  capacity:\n    kind: token_bucket\n    bucket_bytes: 2 kB\n    line_bps: 1 Mbit/s": "F:3: link.sharing: packets that collide have a constant rate",
    "link:\n  profile: lora\n": "F:3: link.profile: expected custom or",
    "link:\n  profile: lorawan-eu868-dr0\n  sharing: max_min": "F:4: link.sharing: LoRa's cameras send when they like",
    "link:\n  sharing: dedicated\nfleet:\n  cells: 10": "F:5: fleet.cells: dedicated links make 1000 cells of 1000 cameras, not 10",
    "link:\n  profile: ethernet\nfleet:\n  cells: 10": "F:5: fleet.cells: dedicated links make 1000 cells",
    "link:\n  capacity:\n    kind: trace\n    path: absent.up": "F:5: link.capacity.path: absent.up: no such file",
    "link:\n  mtu: 40": "F:3: link.mtu: unknown field; did you mean mtu_bytes?",
    "fleet:\n  capture: {kind: bursts, events_per_h: 6, event_us: 20 s, burst_period_us: 2 s}": "F:3: fleet.capture.burst_period_us: frames come faster while an event passes",
    "fleet:\n  capture: {kind: poison}": "F:3: fleet.capture.kind: expected periodic or poisson or bursts, got 'poison'; did you mean poisson?",
    "slot_us: 5": "F:2: slot_us: unknown field; did you mean link.capacity.slot_us?",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_link_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"name: x\n{text}\n")
    with pytest.raises(UserError) as caught:
        load_scenario(file)
    assert str(caught.value).replace(str(file), "F").startswith(REFUSED[text])


def test_dedicated_links_make_every_camera_a_cell_in_sweeps_too() -> None:
    assert Scenario(name="x").cells == 10
    swept = Scenario.model_validate(
        {"name": "x", "link": {"sharing": "dedicated"}, "sweep": {"fleet.cameras": [5, 70]}}
    )
    assert [point.scenario.cells for point in points(swept)] == [5, 70]
    both = Scenario.model_validate(
        {"name": "x", "fleet": {"cameras": 50}, "sweep": {"link.sharing": ["dedicated", "fifo"]}}
    )
    assert [point.scenario.cells for point in points(both)] == [50, 10]


def test_single_values_of_parts_with_kinds_can_be_swept(tmp_path: Path) -> None:
    file = tmp_path / "lossy.yaml"
    file.write_text(
        "name: x\nlink: {loss: {kind: gilbert_elliott, p: 0.1, r: 0.5}}\nsweep: {link.loss.p: [0.01, 0.2]}\n"
    )
    swept = points(load_scenario(file))
    assert [point.values for point in swept] == [{"link.loss.p": 0.01}, {"link.loss.p": 0.2}]
    with pytest.raises(UserError, match=r"--set sweep\.link\.loss\.q=\[1\]: unknown field; did you mean"):
        load_scenario(file, ["sweep.link.loss.q=[1]"])
    with pytest.raises(UserError, match=r"cannot be swept; single values of"):
        load_scenario(file, ["sweep.link.capacity.weights=[[1, 2]]"])
    assert len(sweepable()) == len(set(sweepable())) < len(leaves(Scenario))


@pytest.fixture
def traces(tmp_path: Path) -> list[Path]:
    files = [tmp_path / name for name in ("one.up", "two.up", "copy.up")]
    for file, text in zip(files, ("1\n2\n", "0 1\n1 2\n", "1\n2\n"), strict=True):
        file.write_text(text)
    return files


def with_trace(path: Path) -> dict[str, object]:
    return {"name": "x", "link": {"capacity": {"kind": "trace", "path": str(path)}}}


def test_a_trace_counts_by_its_content_not_by_where_it_lies(traces: list[Path]) -> None:
    one, two, copy = (digest_fields(Scenario.model_validate(with_trace(path))) for path in traces)
    assert one == copy
    assert one != two


def test_traces_can_be_swept_and_each_is_checked(tmp_path: Path, traces: list[Path]) -> None:
    file = tmp_path / "swept.yaml"
    file.write_text(dump_scenario(Scenario.model_validate(with_trace(traces[0]))))
    paths = ", ".join(map(str, traces[:2]))
    swept = points(load_scenario(file, [f"sweep.link.capacity.path=[{paths}]"]))
    assert [point.values["link.capacity.path"] for point in swept] == [str(path) for path in traces[:2]]
    with pytest.raises(UserError, match=r"link\.capacity\.path: .*no such file"):
        load_scenario(file, [f"sweep.link.capacity.path=[{traces[0]}, {tmp_path / 'absent'}]"])


@pytest.mark.parametrize("name", ["lorawan-eu868-dr3", "ethernet", "lte-m"])
def test_a_profile_written_out_loads_again_and_its_name_means_nothing(tmp_path: Path, name: str) -> None:
    scenario = Scenario.model_validate({"name": "x", "link": {"profile": name}})
    file = tmp_path / "out.yaml"
    file.write_text(dump_scenario(scenario))
    assert load_scenario(file) == scenario
    assert digest_fields(load_scenario(file, ["link.profile=custom"])) == digest_fields(scenario)


def test_a_scaled_trace_needs_no_budget(tmp_path: Path, traces: list[Path]) -> None:
    file = tmp_path / "scaled.yaml"
    file.write_text(f"name: x\nlink: {{capacity: {{kind: trace, path: {traces[0]}, scale: 0.5}}}}\n")
    scenario = load_scenario(file)
    assert scenario.link.budget_bps is None
    file.write_text(dump_scenario(scenario))
    assert load_scenario(file) == scenario


def test_a_swept_profile_brings_its_own_figures_and_keeps_what_was_written() -> None:
    written = {"profile": "nb-iot-nb1", "buffer_bytes": 8000}
    profiles = ["nb-iot-nb1", "lorawan-eu868-dr5"]
    swept = Scenario.model_validate({"name": "x", "link": written, "sweep": {"link.profile": profiles}})
    for point, profile in zip(points(swept), profiles, strict=True):
        alone = Scenario.model_validate({"name": "x", "link": {**written, "profile": profile}})
        assert point.scenario.link == alone.link
