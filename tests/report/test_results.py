import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.report.results import read_results, write_results

Make = Callable[..., Any]


def test_what_is_written_is_read_back(write_run: Make) -> None:
    results = read_results(write_run())
    assert len(results.summary["points"]) == 12
    assert len(results.timeline) == 12 * 60
    assert results.summary["points"][3]["sweep"] == {"link.budget_bps": 20_000, "fleet.cameras": 200}


def test_points_are_flat_columns_with_swept_fields_by_path(write_run: Make) -> None:
    table = pq.read_table(write_run() / "points.parquet")
    assert {"frames_dropped_buffer", "latency_ms_p95", "sweep.fleet.cameras"} <= set(table.column_names)
    assert table["sweep.link.budget_bps"].to_pylist()[:3] == [10_000] * 3


def test_a_point_without_answers_keeps_its_columns(
    write_run: Make, make_point: Make, silent_point: Make
) -> None:
    rows = [silent_point(0, {"fleet.cameras": 100}), make_point(1, {"fleet.cameras": 200}, 200, 20_000)]
    table = pq.read_table(write_run(rows) / "points.parquet")
    assert table["accuracy"].to_pylist()[0] is None
    assert table["accuracy"].to_pylist()[1] > 0


def test_a_run_without_a_timeline_is_written(tmp_path: Path) -> None:
    write_results(tmp_path, {"points": []}, [], [])
    assert read_results(tmp_path).timeline == []


def test_nothing_half_written_is_left_by_a_value_that_json_has_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_results(tmp_path, {"accuracy": float("nan")}, [{"a": 1}], [])
    assert list(tmp_path.iterdir()) == []


def test_the_summary_comes_last_and_an_interrupt_leaves_no_partial_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, named = os.replace, []

    def replace(source: Path, target: Path) -> None:
        named.append(target.name)
        if target.name == "summary.json":
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        write_results(tmp_path, {"points": []}, [{"a": 1}], [{"b": 2}])
    assert named == ["points.parquet", "timeline.parquet", "summary.json"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["points.parquet", "timeline.parquet"]


@pytest.mark.parametrize("missing", ["summary.json", "timeline.parquet"])
def test_a_folder_that_is_no_finished_run_is_refused(write_run: Make, missing: str) -> None:
    folder = write_run()
    (folder / missing).unlink()
    with pytest.raises(UserError, match=r"no summary\.json and timeline\.parquet of a finished run there"):
        read_results(folder)


@pytest.mark.parametrize("damaged", ["summary.json", "timeline.parquet"])
def test_damaged_results_are_refused(write_run: Make, damaged: str) -> None:
    folder = write_run()
    (folder / damaged).write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        read_results(folder)


def test_the_summary_is_plain_json(write_run: Make) -> None:
    assert json.loads((write_run() / "summary.json").read_text())["name"] == "bandlimited"
