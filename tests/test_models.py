"""`fleet-sim models`: what it shows is what is there, and nothing is deleted unasked."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fleet_sim.cli import app
from fleet_sim.registry import Registry
from fleet_sim.registry.delta import rebuilt
from fleet_sim.registry.deployment import deploy


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    registry = Registry(tmp_path / "run" / "models")
    ids = {}
    for name, weight in (("old", 1.0), ("new", 1.5)):
        tensors = {"weights": {"w": np.array([weight, 2.0])}, "tables": {"ranking_N": np.array([2, 0, 1, 3])}}
        manifest = {"recipe": name, "contract_hash": "aa", "parent": None, "metrics": {"loss": weight}}
        ids[name] = registry.publish("encoder", manifest, tensors)
    ids["head"] = registry.publish("head", {"contract_hash": "aa", "head": {"name": "ce"}}, {})
    return tmp_path / "run", ids


def invoke(*args: object, answer: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *map(str, args)], input=answer, env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_list_shows_every_version_of_a_run_and_why_one_is_refused(
    models: tuple[Path, dict[str, str]],
) -> None:
    run, ids = models
    deploy(Registry(run / "models"), ids["new"], [ids["head"]])
    (run / "models" / ids["old"][:16] / "signature.ed25519").unlink()
    status, said = invoke("list", run)
    assert status == 0
    rows = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert "is not signed" in rows[ids["old"][:16]]
    assert "encoder" in rows[ids["new"][:16]]
    assert "yes" in rows[ids["new"][:16]]
    assert "ce" in rows[ids["head"][:16]]


def test_list_breaks_no_word_on_a_terminal_of_80_columns(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    registry = Registry(run / "models")
    made = {"recipe": "ordered", "contract_hash": "12345678" * 8, "parent": None}
    large = registry.publish("encoder", made, {"weights": {"w": np.zeros(10**6, np.int8)}, "tables": {}})
    (run / "models" / ids["old"][:16] / "signature.ed25519").unlink()
    result = CliRunner().invoke(app, ["models", "list", str(run)], env={"COLUMNS": "80"})
    lines = [line.split() for line in result.output.splitlines() if line.strip()]
    assert lines[0] == ["version", "kind", "recipe", "head", "contract", "bytes", "deployed"]
    rows = {words[0]: words[1:] for words in lines}
    assert rows[large[:16]][:3] == ["encoder", "ordered", "12345678"]
    assert rows[ids["old"][:16]][0] == "refused:"
    assert len(rows) == 6  # head, rule, four versions


def test_show_prints_the_manifest(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    status, said = invoke("show", run / "models", ids["old"][:6])
    assert status == 0
    assert ids["old"] in said
    assert "metrics.loss" in said
    status, said = invoke("show", run, "ff")
    assert status == 2
    assert "no version ff" in said


def test_verify_ends_with_2_where_one_is_refused(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    assert invoke("verify", run)[0] == 0
    file = run / "models" / ids["new"][:16] / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    status, said = invoke("verify", run)
    assert status == 2
    assert f"{ids['new'][:16]} refused" in said
    assert "1 of 3 versions" in said
    assert f"{ids['old'][:16]} good" in said


def test_diff_shows_manifest_and_weights(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    status, said = invoke("diff", run, ids["old"], ids["new"])
    assert status == 0
    assert "metrics.loss" in said
    assert "50.0% of 2 values differ" in said
    assert "22.36% of its norm" in said
    assert "ranking_N" not in said
    assert invoke("diff", run, ids["old"], ids["old"]) == (0, "the same version\n")


def test_delta_tells_its_size_and_writes_what_rebuilds(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    status, said = invoke("delta", run, ids["old"], ids["new"], "--out", run / "delta")
    assert status == 0
    assert f"delta {(run / 'delta').stat().st_size:,} bytes" in said
    registry = Registry(run / "models")
    assert rebuilt(registry.load(ids["old"]), (run / "delta").read_bytes()).id == ids["new"]


def test_gc_asks_and_deletes_only_what_nothing_needs(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    assert invoke("gc", run)[0] == 2
    deploy(Registry(run / "models"), ids["new"], [ids["head"]])
    status, said = invoke("gc", run, answer="n\n")
    assert status == 0
    assert "nothing was deleted" in said
    assert invoke("gc", run, "--yes")[0] == 0
    assert {v.id for v in Registry(run / "models").list()} == {ids["new"], ids["head"]}
    assert invoke("gc", run) == (0, "no version to delete\n")
    (run / "models" / ".draft-of-a-publisher-that-died").mkdir()
    assert invoke("gc", run) == (0, "cleared 1 draft of publishers that are gone\nno version to delete\n")


def test_a_folder_without_versions_is_said_to_be_one(tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "holds no versions"), (tmp_path / "nowhere", "there is no folder")):
        status, said = invoke("list", folder)
        assert status == 2
        assert words in said


def test_an_unsigned_version_can_be_signed_unless_it_is_damaged(models: tuple[Path, dict[str, str]]) -> None:
    run, ids = models
    folder = run / "models" / ids["old"][:16]
    assert invoke("sign", run, ids["old"][:8])[0] == 2
    (folder / "signature.ed25519").unlink()
    assert invoke("sign", run, ids["old"][:8]) == (0, f"signed {ids['old']}\n")
    assert invoke("verify", run)[0] == 0
    (folder / "signature.ed25519").unlink()
    (folder / "tables.safetensors").write_bytes(b"")
    assert invoke("sign", run, ids["old"][:8])[0] == 2
    assert not (folder / "signature.ed25519").exists()
