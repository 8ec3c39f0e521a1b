"""The main job from scenario to results: trained on the spot, in process and on Ray, and its files."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import ray
from real_prometheus import MISSING, PROGRAM, prometheus
from rich.console import Console

from fleet_sim.basics.errors import Interrupted, UserError
from fleet_sim.cluster.endpoint import Sample, endpoint_url, read_samples
from fleet_sim.cluster.export import Export
from fleet_sim.cluster.host import LocalHost
from fleet_sim.cluster.ray_export import RayExport
from fleet_sim.registry import Registry
from fleet_sim.report.compare import compare
from fleet_sim.report.progress import scenario_of
from fleet_sim.report.results import read_results
from fleet_sim.report.view import View
from fleet_sim.run import run, train
from fleet_sim.scenario import Scenario, load_scenario

BANDLIMITED = Path(__file__).parents[1] / "scenarios" / "bandlimited.yaml"
SMALL = (
    "duration_us=6 s",
    "audit=0.02",
    "codec.width=4",
    "codec.neurons=16",
    "codec.ladder=[2,6,16]",
    "train.e2e.epochs=2",
    "train.duphil.epochs=1",
    "train.head_training.epochs=2",
    "fleet.cells=4",
    "sweep.fleet.cameras=[80,160]",
    "sweep.link.budget_bps=[2500,6000]",
    "cluster.backend=local",
)


def small(*overrides: str) -> Scenario:
    return load_scenario(BANDLIMITED, [*SMALL, *overrides])


def quiet() -> View:
    return View(Console(file=io.StringIO()))


def results(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return summary


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(small(), tmp_path_factory.mktemp("reference"), quiet())


@pytest.fixture(scope="module")
def models(reference: Path) -> str:
    return f"train.use={reference / 'models'}"


def test_a_run_leaves_its_files(reference: Path) -> None:
    left = {path.name for path in reference.iterdir()}
    assert left == {
        "scenario.yaml",
        "summary.json",
        "points.parquet",
        "timeline.parquet",
        "models",
        "report.html",
    }
    assert load_scenario(reference / "scenario.yaml") == small()
    registry = Registry(reference / "models")
    for version in registry.list():
        registry.verify(version.id)


def test_every_frame_is_accounted_for(reference: Path) -> None:
    for point in results(reference)["points"]:
        ended = point["frames_answered"] + sum(point["frames_dropped"].values())
        assert point["frames_offered"] == ended + point["frames_in_flight"]
        assert point["frames_offered"] == 6 * point["cameras"]
        assert 0 < point["cell_wire_bps_max"] <= point["budget_bps"]
        assert point["bpp_ideal"] <= point["bpp_payload"] < point["bpp_wire"]


def test_tables_say_what_the_summary_says(reference: Path) -> None:
    summary = results(reference)
    rows = pq.read_table(reference / "points.parquet").to_pylist()
    assert [row["accuracy_on_time"] for row in rows] == [p["accuracy_on_time"] for p in summary["points"]]
    timeline = pq.read_table(reference / "timeline.parquet").to_pylist()
    for point in summary["points"]:
        seconds = [row for row in timeline if row["point"] == point["point"] and row["cell"] == -1]
        assert len(seconds) == 6
        assert sum(row["offered"] for row in seconds) == point["frames_offered"]
        assert sum(row["answered"] for row in seconds) == point["frames_answered"]


@pytest.mark.parametrize(
    "overrides",
    [
        ("cluster.shards=1",),
        ("cluster.shards=7",),
        ("cluster.epoch_us=700 ms",),
        ("mode=live",),
        ("report.cells=[2]", "name=other", "audit=0"),
    ],
    ids=" ".join,
)
def test_what_has_no_meaning_leaves_the_digest(
    reference: Path, models: str, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    again = run(small(models, *overrides), tmp_path, quiet())
    assert results(again)["digest"] == results(reference)["digest"]


def test_a_second_run_trains_the_same_version(reference: Path, tmp_path: Path) -> None:
    again = results(run(small(), tmp_path, quiet()))
    assert again["versions"] == results(reference)["versions"]
    assert again["digest"] == results(reference)["digest"]


@pytest.mark.parametrize("override", ["seed=2", "duration_us=5 s", "link.header_bytes=5"])
def test_what_has_meaning_changes_the_digest(
    reference: Path, models: str, tmp_path: Path, override: str
) -> None:
    other = run(small(models, override), tmp_path, quiet())
    assert results(other)["digest"] != results(reference)["digest"]


class Disturbing(View):
    """Kills a shard in the middle of the first point."""

    struck = False

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        if not self.struck and 0 < virtual_us < of_us:
            pid = ray.get(ray.get_actor("camera-shard-0").__ray_call__.remote(lambda _: os.getpid()))
            os.kill(pid, signal.SIGKILL)
            self.struck = True


def test_on_ray_with_a_shard_killed_digest_and_metrics_are_those_of_an_undisturbed_run(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Sample] = []
    scraped: dict[str, float] = {}
    flush = RayExport.flush

    def flush_and_read(export: RayExport) -> None:
        flush(export)
        seen.extend(read_samples(endpoint_url()))
        if PROGRAM is not None:
            with prometheus(tmp_path, endpoint_url(), "ray_fleet_sim_frames_total") as query:
                rows = query('sum by (__name__) ({__name__=~"ray_fleet_sim_.*_total"})')
                scraped.update({labels["__name__"]: value for labels, value in rows})

    monkeypatch.setattr(RayExport, "flush", flush_and_read)
    view = Disturbing(Console(file=io.StringIO()))
    scenario = small("cluster.backend=ray", "cluster.epoch_us=2 s")
    summary = results(run(scenario, tmp_path, view))

    assert view.struck
    assert summary["restarts"] >= 1
    assert summary["versions"] == results(reference)["versions"]  # Ray Train made the same weights
    assert summary["digest"] == results(reference)["digest"]
    assert_totals_equal(seen, summary["points"])
    if PROGRAM is None:
        pytest.skip(MISSING)  # all but the look through Prometheus has passed
    assert scraped == {name: sum(s.value for s in seen if s.name == name) for name in scraped}
    assert scraped["ray_fleet_sim_frames_offered_total"] == sum(
        p["frames_offered"] for p in summary["points"]
    )


def assert_totals_equal(seen: list[Sample], points: list[Mapping[str, Any]]) -> None:
    def total(name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in seen
            if sample.name == f"ray_fleet_sim_{name}_total"
            and all(sample.labels[label] == value for label, value in labels.items())
        )

    assert total("frames_offered") == sum(p["frames_offered"] for p in points)
    assert total("frames_sent") == sum(p["frames_sent"] for p in points)
    assert total("payload_bits") == sum(p["payload_bits"] for p in points)
    assert total("wire_bits") == sum(p["wire_bits"] for p in points)
    assert total("level_sum") == sum(p["level_sum"] for p in points)
    assert total("latency_us_sum") == sum(p["latency_us_sum"] for p in points)
    assert total("frames", outcome="right_on_time") == sum(p["frames_right_on_time"] for p in points)
    late = sum(p["frames_right"] - p["frames_right_on_time"] for p in points)
    assert total("frames", outcome="right_late") == late
    assert total("latency_ms_count") == sum(p["frames_answered"] for p in points)
    assert total("latency_ms_bucket", le="+Inf") == sum(p["frames_answered"] for p in points)
    answered = sum(total("frames", outcome=o) for o in ("right_on_time", "right_late", "wrong"))
    assert answered == sum(p["frames_answered"] for p in points)
    for reason in ("buffer", "deadline"):
        dropped = sum(p["frames_dropped"][reason] for p in points)
        assert total("frames", outcome=f"dropped_{reason}") == dropped
    assert sum(p["frames_dropped"]["deadline"] for p in points) > 0


def test_points_side_by_side_are_the_same_points(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 6)
    again = results(run(small(models, "cluster.epoch_us=1 s"), tmp_path, quiet()))
    assert again["digest"] == results(reference)["digest"]
    assert [point["point"] for point in again["points"]] == [0, 1, 2, 3]


def test_seeds_repeat_a_run_and_the_first_is_its_own(reference: Path, models: str, tmp_path: Path) -> None:
    folder = run(small(models, "sweep.seeds=3"), tmp_path, quiet())
    repeats, once = results(folder)["points"], results(reference)["points"]
    assert [point["sweep"] for point in repeats] == [point["sweep"] for point in once]
    for point, alone in zip(repeats, once, strict=True):
        assert point["by_seed"]["accuracy_on_time"][0] == alone["accuracy_on_time"]
        assert len(set(point["seeds"])) == 3
        assert point["interval"]["accuracy_on_time"] > 0
    intervals = pq.read_table(folder / "points.parquet")["interval_accuracy_on_time"].to_pylist()
    assert intervals == [point["interval"]["accuracy_on_time"] for point in repeats]
    found = compare("once", read_results(folder), "again", read_results(folder))
    assert not any(one.matters for one in found.differences)


class Impatient(View):
    """Presses Ctrl-C in one of the points."""

    def __init__(self, index: int) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._index = index

    def advance(self, index: int, virtual_us: int, of_us: int) -> None:
        if index == self._index:
            raise KeyboardInterrupt


def test_ctrl_c_beside_other_points_keeps_those_that_are_done(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 4)
    with pytest.raises(Interrupted, match=r"of 4 points"):
        run(small(models, "cluster.epoch_us=1 s"), tmp_path, Impatient(3))
    (folder,) = tmp_path.iterdir()
    points = results(folder)["points"]
    assert 2 <= len(points) <= 3  # two crews: when the last point begins, two or three are done
    wanted = {point["point"]: {**point, "wall_s": 0} for point in results(reference)["points"]}
    assert [{**point, "wall_s": 0} for point in points] == [wanted[point["point"]] for point in points]
    assert 3 not in {point["point"] for point in points}


def test_ctrl_c_keeps_the_points_that_are_done(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    with pytest.raises(Interrupted, match=r"1 of 4 points"):
        run(small(models), tmp_path, Impatient(1))
    (folder,) = tmp_path.iterdir()
    summary = results(folder)
    assert summary["complete"] is False
    first = results(reference)["points"][0]
    assert {**summary["points"][0], "wall_s": 0} == {**first, "wall_s": 0}
    assert (folder / "report.html").exists()


class Stopping(View):
    """Ctrl-C as a stage begins."""

    def __init__(self, title: str) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._title = title

    def stage(self, title: str) -> None:
        if title == self._title:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("stage", "done"), [("Bank", 0), ("Simulation", 0), ("Oracle", 4)])
def test_ctrl_c_between_points_says_how_to_go_on(
    reference: Path, models: str, tmp_path: Path, stage: str, done: int
) -> None:
    with pytest.raises(Interrupted, match=rf"{done} of 4 points .* fleet-sim run --resume {tmp_path}"):
        run(small(models, "report.oracle=true"), tmp_path, Stopping(stage))
    (folder,) = tmp_path.iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]


def test_ctrl_c_before_anything_is_kept_says_so(models: str, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="before anything was kept"):
        run(small(models), tmp_path, Stopping("Training"))
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_results_are_written_is_mended_by_going_on(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("fleet_sim.run.write_html", interrupted)
        with pytest.raises(Interrupted, match=r"4 of 4 points .* --resume"):
            run(small(models), tmp_path, quiet())
    (folder,) = tmp_path.iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]
    assert (folder / "report.html").exists()


def test_ctrl_c_after_results_are_written_says_they_are_there(
    models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Export) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "flush", interrupted)
    with pytest.raises(Interrupted, match="all results were written"):
        run(small(models), tmp_path, quiet())
    (folder,) = tmp_path.iterdir()
    assert results(folder)["complete"] is True


KILLED = """
import sys
from pathlib import Path
from test_main_job import quiet, small
from fleet_sim.run import run
run(small(*sys.argv[2:]), Path(sys.argv[1]), quiet())
"""


def killed_once(out: Path, pattern: str, *overrides: str) -> Path:
    """The folder of a run whose driver was killed as soon as a file of it had such a name."""
    here = str(Path(__file__).parent)
    driver = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r})\n{KILLED}", str(out), *overrides]
    )
    while not list(out.glob(f"*/{pattern}")):
        assert driver.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    (folder,) = out.iterdir()
    return folder


@pytest.mark.parametrize("pattern", ["training/e2e-*.safetensors", "progress/*.npz"])
def test_a_driver_killed_at_any_stage_is_resumed_to_the_undisturbed_digest(
    reference: Path, tmp_path: Path, pattern: str
) -> None:
    folder = killed_once(tmp_path, pattern, "cluster.epoch_us=20 ms")
    done = {file.name: file.stat().st_mtime_ns for file in folder.glob("progress/*.npz")}
    scenario = scenario_of(folder, [])
    seen = io.StringIO()
    assert run(scenario, Path("unused"), View(Console(file=seen)), folder) == folder
    assert results(folder)["digest"] == results(reference)["digest"]
    assert results(folder)["complete"] is True
    if done:
        assert f"{len(done)} of 4 points done before" in seen.getvalue()
    assert not (folder / "progress").exists()
    with pytest.raises(UserError, match="this run is complete"):
        scenario_of(folder, [])


def test_a_run_ended_by_ctrl_c_goes_on_and_a_damaged_point_is_refused(
    reference: Path, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    with pytest.raises(Interrupted, match="go on by fleet-sim run --resume"):
        run(small(models), tmp_path, Impatient(2))
    (folder,) = tmp_path.iterdir()
    kept = folder / "progress" / "1-0.npz"
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"1-0\.npz cannot be read"):
        run(scenario_of(folder, []), tmp_path, quiet(), folder)
    kept.write_bytes(whole)
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(reference)["digest"]


def test_each_point_retrains_its_own_head_and_a_resumed_run_keeps_those_that_were_made(
    models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHost, "cores", lambda _: 2)
    fresh = "{at_us: 1.5 s, head: {name: fresh, kind: svm}, labelled: 1, delay_us: 0}"
    unlabelled = "{at_us: 1.5 s, head: {name: unlabelled, kind: svm}, labelled: 0.000001, delay_us: 0}"
    learned = f"train.retrain=[{fresh}, {unlabelled}]"
    whole = run(small(models, learned), tmp_path / "whole", quiet())
    with pytest.raises(Interrupted):
        run(small(models, learned), tmp_path / "stopped", Impatient(2))
    (folder,) = (tmp_path / "stopped").iterdir()
    run(scenario_of(folder, []), tmp_path, quiet(), folder)
    assert results(folder)["digest"] == results(whole)["digest"]
    assert results(folder)["retrained"] == results(whole)["retrained"]
    heads = [head for head in results(folder)["retrained"] if head["head"] == "fresh"]
    others = [head for head in results(folder)["retrained"] if head["head"] == "unlabelled"]
    assert [(head["version"], head["frames"], head["classes"]) for head in others] == [(None, 0, 0)] * 4
    assert [(head["point"], head["at_us"]) for head in heads] == [(point, 2_000_000) for point in range(4)]
    assert len({head["version"] for head in heads}) == 4
    assert {head["version"] for head in heads} <= {
        version.id for version in Registry(folder / "models").list()
    }
    assert all(point["heads"]["fresh"]["frames_answered"] > 0 for point in results(folder)["points"])
    rows = pq.read_table(folder / "timeline.parquet").to_pylist()
    assert [row["head"] for row in rows if row["point"] == 0 and row["cell"] == -1] == ["ce"] * 2 + [
        "fresh"
    ] * 4


def test_bad_data_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    missing = small("data.source=npz", f"data.path={tmp_path / 'missing.npz'}")
    with pytest.raises(UserError, match=r"missing\.npz"):
        run(missing, out, quiet())
    with pytest.raises(UserError, match="no encoder"):
        run(small(f"train.use={tmp_path}"), out, quiet())
    assert not out.exists()


def republish(
    source: Path,
    target: Path,
    tables: int = 0,
    of_encoder: Mapping[str, str] = {},
    of_heads: Mapping[str, str] = {},
) -> None:
    """The encoder and heads in a folder once more: so much added to its tables, manifests changed."""
    original, copy = Registry(source), Registry(target)

    def publish(version: str, tables: int, changes: Mapping[str, str]) -> str:
        bundle = original.load(version)
        manifest = {key: value for key, value in bundle.manifest.items() if key not in ("kind", "files")}
        tensors = {name: dict(arrays) for name, arrays in bundle.tensors.items()}
        if tables:
            tensors["tables"]["offset_N"] = tensors["tables"]["offset_N"] + tables
        return copy.publish(bundle.kind, {**manifest, **changes}, tensors)

    versions = {kind: [v.id for v in original.list() if v.kind == kind] for kind in ("encoder", "head")}
    (encoder,) = versions["encoder"]
    encoder = publish(encoder, tables, of_encoder)
    for head in versions["head"]:
        publish(head, 0, {"encoder": encoder, **of_heads})


def test_models_that_lack_an_update_are_refused_before_anything_is_built(
    reference: Path, tmp_path: Path
) -> None:
    republish(reference / "models", tmp_path / "models", of_encoder={"recipe": "e2e"})
    use = [f"train.use={tmp_path / 'models'}", "train.recipe=e2e"]
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        run(small(*use), out, Stopping("Training"))
    with pytest.raises(UserError, match="0 encoders of recipe duphil"):
        run(small(*use, "train.updates=[{at_us: 2.5 s}]"), out, Stopping("Training"))
    assert not out.exists()


@pytest.mark.parametrize(
    ("altered", "reason"), [("head", "made for contract 0000"), ("tables", "encoder .* is")]
)
def test_encoder_and_server_with_different_tables_refuse_each_other(
    reference: Path, tmp_path: Path, altered: str, reason: str
) -> None:
    changes = {"contract_hash": "0" * 64} if altered == "head" else {}
    republish(reference / "models", tmp_path / "models", tables=int(altered == "tables"), of_heads=changes)
    with pytest.raises(UserError, match=f"{reason}.*a server would read noise"):
        run(small(f"train.use={tmp_path / 'models'}"), tmp_path / "out", quiet())
    assert not list(tmp_path.glob("out/*/summary.json"))


def test_training_alone_is_used_by_a_run(reference: Path, tmp_path: Path) -> None:
    models = train(small(), tmp_path / "trained", quiet())
    again = run(small(f"train.use={models}"), tmp_path / "runs", quiet())
    assert results(again)["digest"] == results(reference)["digest"]


def test_a_version_trained_beside_the_fleet_gives_one_digest_on_either_backend(tmp_path: Path) -> None:
    def updated(backend: str) -> dict[str, Any]:
        small_update = [
            override for override in SMALL if not override.startswith(("sweep", "cluster.backend"))
        ]
        scenario = load_scenario(
            BANDLIMITED.with_name("update.yaml"),
            [
                *small_update,
                "fleet.cameras=80",
                "train.updates.0.at_us=2.5 s",
                "serving.switches.0.at_us=4 s",
                "report.cells=[0]",
                f"cluster.backend={backend}",
            ],
        )
        folder = run(scenario, tmp_path / backend, quiet())
        seconds = pq.read_table(folder / "timeline.parquet").to_pylist()
        everywhere = [row for row in seconds if row["cell"] == -1]
        encoders = [row["encoder"] for row in everywhere]
        assert encoders[0] == encoders[2] != encoders[3] == encoders[5]  # the next period begins at 3 s
        assert [row["head"] for row in everywhere] == ["ce"] * 4 + ["svm"] * 2
        return results(folder)

    here, there = updated("local"), updated("ray")
    assert [version["at_us"] for version in here["versions"]["encoders"]] == [0, 3_000_000]
    assert here["versions"] == there["versions"]
    assert here["digest"] == there["digest"]
