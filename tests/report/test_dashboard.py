"""The files for Prometheus and Grafana."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from fleet_sim.cluster.metrics import EXPORTED_NAMES
from fleet_sim.report.dashboard import write_dashboard


@pytest.fixture
def folder(tmp_path):
    write_dashboard(tmp_path / "boards")
    return tmp_path / "boards"


def _dashboard(folder):
    return json.loads((folder / "grafana/dashboards/fleet-sim.json").read_text())


def test_the_paths_returned_are_the_files_written(tmp_path):
    paths = write_dashboard(tmp_path / "boards")
    assert paths[0].name == "README.md"
    assert {p.resolve() for p in tmp_path.rglob("*") if p.is_file()} == set(paths)


def test_panels_ask_for_metrics_that_exist(folder):
    queries = [target["expr"] for panel in _dashboard(folder)["panels"] for target in panel["targets"]]
    variables = [variable["query"]["query"] for variable in _dashboard(folder)["templating"]["list"]]
    asked = {name for text in (*queries, *variables) for name in re.findall(r"ray_fleet_sim_\w+", text)}
    assert asked <= EXPORTED_NAMES
    panels = " ".join(panel["title"].lower() for panel in _dashboard(folder)["panels"])
    for figure in ("outcome", "on time", "budget", "level", "latency", "drops"):
        assert figure in panels


def test_panels_have_places_and_ids_of_their_own(folder):
    panels = _dashboard(folder)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}) == len(panels)
    assert all(panel["description"] for panel in panels)


def test_grafana_is_led_to_its_files_and_its_source(folder):
    provisioning = folder / "grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in _dashboard(folder)["panels"]} == {source["uid"]}
    ours, _ = yaml.safe_load((provisioning / "dashboards/fleet-sim.yml").read_text())["providers"]
    assert ours["options"]["path"] == str(folder / "grafana/dashboards")
    assert f"provisioning = {provisioning}" in (folder / "grafana/grafana.ini").read_text()


def test_prometheus_accepts_its_configuration(folder):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on this machine (Debian: apt-get install prometheus)")
    subprocess.run(
        [promtool, "check", "config", str(folder / "prometheus.yml")], check=True, capture_output=True
    )


def test_the_readme_leaves_no_placeholder(folder):
    text = (folder / "README.md").read_text()
    assert f"--config.file={folder}/prometheus.yml" in text
    assert "{" not in text.replace("{outcome}", "")


def test_writing_again_changes_nothing(folder):
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    write_dashboard(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
