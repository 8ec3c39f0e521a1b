from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.errors import UserError
from fleet_sim.scenario import Scenario, digest_fields, dump_scenario, load_scenario, points, repeated
from fleet_sim.scenario.document import parse


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(text: str) -> Path:
        file = tmp_path / "scenario.yaml"
        file.write_text(text)
        return file

    return write


def test_quantities_are_read_with_units_and_exponents(write) -> None:  # type: ignore[no-untyped-def]
    text = "name: x\nlink: {budget_bps: 1e6, buffer_bytes: 2 kB}\ntrain: {e2e: {learning_rate: 1e-4}}\n"
    text += "seed: 1_000\n"
    scenario = load_scenario(write(text))
    assert scenario.link.budget_bps == 1_000_000
    assert scenario.link.buffer_bytes == 2000
    assert scenario.train.e2e.learning_rate == 1e-4
    assert scenario.seed == 1000


def test_yaml_is_read_as_version_1_2() -> None:
    text = "{a: no, b: 1:30, c: 010, d: 2024-01-01, e: 1e3, f: .5, g: ~, h: true, i: -.inf, j: '1'}"
    assert parse(text, "t", with_lines=True).values == {
        "a": "no", "b": "1:30", "c": 10, "d": "2024-01-01", "e": 1000.0, "f": 0.5, "g": None, "h": True,
        "i": float("-inf"), "j": "1",
    }  # fmt: skip


def test_overrides_are_yaml_and_apply_in_order(write) -> None:  # type: ignore[no-untyped-def]
    file = write("name: x\ntrain: {heads: [{name: ce, kind: ce}, {name: b, kind: svm}]}\n")
    scenario = load_scenario(
        file,
        [
            "link.budget_bps=20 kbit/s",
            "codec.ladder=[4, 8]",
            "train.heads.1.name=c",
            "serving.head=c",
            "data.scenes=5",
            "data.scenes=null",
            "serving.switches=[{at_us: 2 s, head: ce}]",
        ],
    )
    assert scenario.link.budget_bps == 20_000
    assert scenario.codec.ladder == (4, 8)
    assert [h.name for h in scenario.train.heads] == ["ce", "c"]
    assert scenario.data.scenes is None
    assert scenario.serving.switches[0].at_us == 2_000_000


SWEPT = "name: x\nsweep:\n  link.budget_bps: [20 kbit/s, 1e4]\n  fleet.cameras: [100, 200, 300]\n"


def test_points_are_the_grid_with_values_as_validated(write) -> None:  # type: ignore[no-untyped-def]
    found = points(load_scenario(write(SWEPT)))
    assert [p.index for p in found] == list(range(6))
    assert [tuple(p.values.values()) for p in found[:4]] == [
        (20_000, 100),
        (20_000, 200),
        (20_000, 300),
        (10_000, 100),
    ]
    assert found[3].scenario.link.budget_bps == 10_000
    assert found[3].scenario.sweep.axes == {}


def test_a_scenario_without_a_sweep_is_one_point(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(write("name: x\n"))
    (point,) = points(scenario)
    assert (point.index, point.values) == (0, {})
    assert point.scenario == scenario


def test_setting_a_swept_field_replaces_its_axis_and_says_so(write) -> None:  # type: ignore[no-untyped-def]
    notes: list[str] = []
    scenario = load_scenario(write(SWEPT), ["link.budget_bps=5000"], notes.append)
    assert notes == ["--set link.budget_bps=5000 replaces the sweep over link.budget_bps"]
    assert list(scenario.sweep.axes) == ["fleet.cameras"]
    assert {p.scenario.link.budget_bps for p in points(scenario)} == {5000}


def test_setting_another_kind_leaves_the_fields_of_the_old_one_out_and_says_so(write) -> None:  # type: ignore[no-untyped-def]
    text = "name: x\nlink:\n  loss: {kind: bernoulli, p: 0.1}\n  mtu_bytes: 600\n"
    notes: list[str] = []
    changed = load_scenario(
        write(text), ["link.loss.kind=gilbert_elliott", "link.loss.p=0.3", "link.loss.r=0.5"], notes.append
    )
    assert notes == ["--set link.loss.kind=gilbert_elliott leaves out p, of another kind"]
    assert changed.link.loss.model_dump() == {
        "kind": "gilbert_elliott",
        "p": 0.3,
        "r": 0.5,
        "h": 0.0,
        "k": 1.0,
    }
    assert changed.link.mtu_bytes == 600
    same = load_scenario(write(text), ["link.loss.kind=bernoulli"], notes.append)
    assert same.link.loss.model_dump() == {"kind": "bernoulli", "p": 0.1}
    named = load_scenario(
        write("name: x\ntrain: {heads: [{name: ce, kind: ce}]}\n"), ["train.heads.0.kind=kl"]
    )
    assert named.train.heads[0].name == "ce"


def test_the_sweep_can_be_replaced_by_an_override(write) -> None:  # type: ignore[no-untyped-def]
    assert load_scenario(write(SWEPT), ["sweep={}"]).sweep.axes == {}
    changed = load_scenario(write(SWEPT), ["sweep.link.budget_bps=[1000, 2000]"])
    assert changed.sweep.axes == {"link.budget_bps": (1000, 2000), "fleet.cameras": (100, 200, 300)}
    assert list(load_scenario(write(SWEPT), ["sweep={fleet.cells: [1, 2]}"]).sweep.axes) == ["fleet.cells"]


def test_a_dumped_scenario_loads_again_as_the_same(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(write(SWEPT), ["serving.switches=[{at_us: 2 s, head: kl}]"])
    assert points(load_scenario(write(dump_scenario(scenario)))) == points(scenario)


def test_seeds_repeat_every_point_with_the_same_draws(write) -> None:  # type: ignore[no-untyped-def]
    scenario = load_scenario(write(SWEPT), ["sweep.seeds=4", "seed=9"])
    first, second = (repeated(point, scenario.sweep.seeds) for point in points(scenario)[:2])
    assert [again.repeat for again in first] == [0, 1, 2, 3]
    assert first[0].scenario == points(scenario)[0].scenario
    seeds = [again.scenario.seed for again in first]
    assert seeds[0] == 9
    assert seeds == [again.scenario.seed for again in second]
    other = load_scenario(write(SWEPT), ["sweep.seeds=4", "seed=10"])
    theirs = [again.scenario.seed for again in repeated(points(other)[0], 4)]
    assert len({*seeds, *theirs}) == 8


@given(st.text(max_size=60))
def test_any_text_either_parses_or_is_refused_in_words(text: str) -> None:
    with suppress(UserError):
        parse(text, "t", with_lines=True)


def test_only_fields_with_meaning_enter_the_digest() -> None:
    plain = Scenario(name="x")
    same = {
        "name": "y",
        "mode": "live",
        "audit": 0.5,
        "cluster": {"shards": 7, "backend": "local", "epoch_us": 2000},
        "report": {"cells": [1]},
        "train": {"use": "models", "threads": 2},
        "data": {"path": "elsewhere"},
    }
    assert digest_fields(Scenario.model_validate(same)) == digest_fields(plain)
    for other in ({"seed": 2}, {"link": {"budget_bps": 5000}}, {"codec": {"width": 8}}):
        assert digest_fields(Scenario.model_validate({"name": "x", **other})) != digest_fields(plain)
