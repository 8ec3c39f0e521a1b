import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.report.html import write_html

Make = Callable[..., Any]
TITLES = [
    "How much the fleet sees in time",
    "What a bit buys",
    "What became of every frame",
    "How long an answer takes",
    "From second to second",
    "All points",
    "What the servers did",
    "How this was made",
]


def page_of(folder: Path) -> str:
    """The report without plotly's own script."""
    return re.sub(r"<script>/\*\*.*?</script>", "", write_html(folder).read_text(), count=1, flags=re.DOTALL)


def test_the_report_is_one_file_with_every_part(write_run: Make) -> None:
    folder = write_run()
    file = write_html(folder)
    page = file.read_text()
    assert file == folder / "report.html"
    with_loads = [*TITLES[:4], "How much load is borne", *TITLES[4:]]
    assert re.findall(r"<h2>(.*?)</h2>", page) == with_loads
    assert page.count("plotly.js v") == 1
    assert len(re.findall(r"Plotly\.newPlot\(", page)) >= 6
    assert sorted(f.name for f in folder.iterdir()) == [
        "points.parquet", "report.html", "summary.json", "timeline.parquet",
    ]  # fmt: skip


def test_nothing_is_fetched_from_anywhere(write_run: Make) -> None:
    page = page_of(write_run())
    assert not re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=", page)
    assert "@import" not in page
    assert "url(" not in page


def test_headline_figures_are_the_best_and_the_worst_point(write_run: Make) -> None:
    tiles = re.findall(r"<b>(.*?)</b><span>(.*?)</span><small>(.*?)</small>", page_of(write_run()))
    assert [what for _, what, _ in tiles] == [
        "right on time", "right on time", "bytes a frame", "to answer 95 of 100",
    ]  # fmt: skip
    assert tiles[1] == ("7.3 %", "right on time", "at worst: 10 kbit/s, 2,000 cameras")


def test_one_point_without_a_sweep_is_reported(write_run: Make, make_point: Make) -> None:
    page = page_of(write_run([make_point(0, {}, 1000, 100_000)], update=False))
    assert re.findall(r"<h2>(.*?)</h2>", page) == TITLES
    assert "<select" not in page
    assert "at one point: 1 min of virtual time" in page


def test_any_swept_fields_are_reported(write_run: Make, make_point: Make, silent_point: Make) -> None:
    rows = [
        make_point(i, {"control.controller": controller, "serving.deadline_us": deadline}, 1000, 100_000)
        for i, (controller, deadline) in enumerate(
            [("budget", 200_000), ("fixed", 200_000), ("fixed", 500_000)]
        )
    ]
    rows.append(silent_point(3, {"control.controller": "budget", "serving.deadline_us": 500_000}))
    page = page_of(write_run(rows))
    assert "<th>controller</th><th>deadline</th>" in page
    assert "within the deadline of capture" in page
    assert "controller budget, deadline 500 ms" in page


def test_an_interrupted_run_says_so(write_run: Make) -> None:
    folder = write_run()
    summary = folder / "summary.json"
    summary.write_text(summary.read_text().replace('"seed": 1,', '"seed": 1, "complete": false,', 1))
    assert "The run was interrupted" in page_of(folder)


def test_several_seeds_have_their_interval_and_the_timeline_says_whose_it_is(
    write_run: Make, make_point: Make
) -> None:
    several = {"seeds": [1, 2, 3], "interval": {"accuracy_on_time": 0.015625}}
    page = page_of(write_run([make_point(0, {}, 1000, 100_000) | several]))
    assert "Shown is the first of 3 seeds." in page
    assert "over 3 seeds; parts are means" in page


def test_one_seed_has_neither(write_run: Make, make_point: Make) -> None:
    page = page_of(write_run([make_point(0, {}, 1000, 100_000) | {"seeds": [1], "interval": {}}]))
    assert "Shown is the first" not in page
    assert "whisker" not in page


def test_texts_of_a_scenario_cannot_break_the_page(write_run: Make) -> None:
    folder = write_run()
    summary = folder / "summary.json"
    summary.write_text(summary.read_text().replace("x86_64, 2 cores", "<script>alert(1)</script>"))
    assert "<script>alert" not in page_of(folder)


def test_a_folder_without_results_is_refused_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no summary\.json and"):
        write_html(tmp_path)
    assert list(tmp_path.iterdir()) == []
