"""What enters a digest: fields that came later only where they are used."""

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.scenario import Scenario, digest_fields, load_scenario, service_times
from fleet_sim.serving.table import DEFAULT

TINY = {"depth": "tiny", "width": 16, "neurons": 64}


def test_a_scenario_of_the_first_release_means_what_it_did() -> None:
    fields = canonical_json(digest_fields(Scenario(name="x")))
    assert sha256_hex(fields) == "6dcd6c0045883cf4cbf7e92ffc00f76d4a0ba2511a3fa75cb7c4c5ac07a1014f"


def test_a_group_at_the_full_rate_means_what_it_did() -> None:
    groups = [{"name": "a", "share": 0.5, "link": {"rate": 1}}, {"name": "b", "share": 0.5}]
    fields = digest_fields(Scenario.model_validate({"name": "x", "fleet": {"groups": groups}}))
    assert [set(group) for group in fields["fleet"]["groups"]] == [
        {"name", "share", "frame_period_us", "importance", "sees"}
    ] * 2
    groups[0]["link"] = {"rate": 0.5}
    slower = digest_fields(Scenario.model_validate({"name": "x", "fleet": {"groups": groups}}))
    assert slower["fleet"]["groups"][0]["link"] == {"rate": 0.5}


def test_a_table_of_service_times_enters_by_its_content(tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(DEFAULT.read_bytes())
    scenarios = [
        Scenario.model_validate({"name": "x", "codec": TINY, "serving": {"table": table}})
        for table in ("default", str(copy))
    ]
    one, other = (digest_fields(scenario) for scenario in scenarios)
    assert one == other != digest_fields(Scenario.model_validate({"name": "x", "codec": TINY}))
    assert one["serving"]["table"] == sha256_hex(DEFAULT.read_bytes())


def test_heads_take_the_times_of_their_kind() -> None:
    scenario = Scenario.model_validate(
        {"name": "x", "codec": TINY, "serving": {"table": "default", "batch": 64}}
    )
    ce_us, _, svm_us = service_times(scenario)
    assert (svm_us[1:] < ce_us[1:]).all()


def test_a_table_without_the_decoder_is_refused_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\ncodec: {width: 20}\nserving:\n  table: default\n")
    with pytest.raises(
        UserError, match=r"x\.yaml:4: serving\.table: default: has no times on cpu of a head ce"
    ):
        load_scenario(file)
