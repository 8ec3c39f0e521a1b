from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from fleet_sim.report import figures
from fleet_sim.report.axes import axes
from fleet_sim.report.moments import MOST_POINTS, over_time
from fleet_sim.report.results import read_results

Make = Callable[..., Any]


def rows_over(make_point: Make, **swept: list[Any]) -> list[Any]:
    names = [name.replace("__", ".") for name in swept]
    return [
        make_point(i, dict(zip(names, values, strict=True)), 500, 20_000)
        for i, values in enumerate(product(*swept.values()))
    ]


def test_the_first_number_that_is_not_cameras_runs_along_x(make_point: Make) -> None:
    chosen = axes(rows_over(make_point, fleet__cameras=[500, 200], link__budget_bps=[20_000, 10_000]))
    assert (chosen.path, chosen.numeric) == ("link.budget_bps", True)
    assert list(chosen.lines) == ["200 cameras", "500 cameras"]
    assert [chosen.x(row) for row in chosen.lines["200 cameras"]] == [10_000, 20_000]


@pytest.mark.parametrize(
    ("swept", "path", "numeric", "lines"),
    [
        ({}, "link.budget_bps", True, ["all points"]),
        ({"fleet__cameras": [1, 2]}, "fleet.cameras", True, ["all points"]),
        ({"control__controller": ["budget", "fixed"]}, "control.controller", False, ["all points"]),
        (
            {"control__controller": ["fixed", "budget"], "serving__deadline_us": [1000, 2000]},
            "serving.deadline_us",
            True,
            ["controller fixed", "controller budget"],
        ),
        (
            {"link__budget_bps": [1000], "fleet__cameras": [1, 2], "fleet__cells": [1]},
            "link.budget_bps",
            True,
            ["1 camera, 1 cell", "2 cameras, 1 cell"],
        ),
    ],
)
def test_any_sweep_has_an_axis_and_lines(
    make_point: Make, swept: dict[str, list[Any]], path: str, numeric: bool, lines: list[str]
) -> None:
    rows = rows_over(make_point, **swept)
    chosen = axes(rows)
    assert (chosen.path, chosen.numeric, list(chosen.lines)) == (path, numeric, lines)
    assert sum(len(line) for line in chosen.lines.values()) == len(rows)
    assert len(figures.on_time(rows).data) == len(lines)


def test_axis_ticks_are_named_with_units(make_point: Make) -> None:
    figure = figures.on_time(rows_over(make_point, link__budget_bps=[10_000, 200_000]))
    assert list(figure.layout.xaxis.ticktext) == ["10 kbit/s", "200 kbit/s"]
    assert figure.layout.xaxis.type == "log"


def test_a_heat_map_needs_two_swept_fields(make_point: Make) -> None:
    assert figures.heat_map(rows_over(make_point, fleet__cameras=[1, 2])) is None
    assert figures.heat_map(rows_over(make_point, fleet__cameras=[1, 2], link__budget_bps=[1000])) is None
    figure = figures.heat_map(
        rows_over(make_point, fleet__cameras=[1, 2], link__budget_bps=[1000, 2000, 3000])
    )
    assert figure is not None
    assert [len(row) for row in figure.data[0].z] == [3, 3]


def test_the_fates_of_each_point_add_up_to_all_its_frames(write_run: Make) -> None:
    rows = read_results(write_run()).summary["points"]
    figure = figures.fates(rows)
    for i in range(len(rows)):
        assert sum(trace.x[i] for trace in figure.data) == pytest.approx(1)
    names = [trace.name for trace in figure.data]
    assert names[0] == "right on time"
    assert "dropped: buffer" in names
    assert "dropped: loss" not in names


def test_the_first_fate_shows_its_interval(make_point: Make) -> None:
    rows = [make_point(0, {}, 1000, 100_000) | {"interval": {"accuracy_on_time": 0.02}}]
    first, *_, whisker = figures.fates(rows).data
    assert (whisker.type, list(whisker.error_x.array)) == ("scatter", [0.02])
    assert whisker.x[0] == pytest.approx(first.x[0], abs=1e-4)  # where what was right on time ends


def test_curves_are_the_ladder_and_points_lie_over_them(write_run: Make) -> None:
    summary = read_results(write_run()).summary
    figure = figures.rate(summary)
    assert [trace.name for trace in figure.data] == [
        "ce, e2e", "kl, e2e", "svm, e2e", "ce, duphil", "kl, duphil", "svm, duphil", "sweep points",
    ]  # fmt: skip
    assert list(figure.data[0].y) == [row["accuracy"] for row in summary["ladder"][:8]]
    assert len(figure.data[-1].x) == 12


def test_points_without_answers_are_left_out_where_they_have_no_figure(
    write_run: Make, make_point: Make, silent_point: Make
) -> None:
    rows = [silent_point(0, {"fleet.cameras": 100}), make_point(1, {"fleet.cameras": 200}, 200, 20_000)]
    summary = read_results(write_run(rows)).summary
    assert len(figures.rate(summary).data[-1].x) == 1
    assert list(figures.latency(summary["points"], 500_000).data[1].y) == ["200 cameras"]
    assert list(figures.fates(summary["points"]).data[0].y) == ["100 cameras", "200 cameras"]


def test_each_point_shows_its_own_deadline(make_point: Make) -> None:
    swept = figures.latency(rows_over(make_point, serving__deadline_us=[200_000, 900_000]), 500_000)
    assert list(swept.data[-1].x) == [200, 900]
    assert list(figures.latency(rows_over(make_point, fleet__cells=[1]), 500_000).data[-1].x) == [500]


def test_long_sweeps_are_thinned_evenly(make_point: Make) -> None:
    rows = rows_over(make_point, fleet__cameras=list(range(1, 301)))
    shown = figures.thinned(rows)
    assert len(shown) == figures.MOST_ROWS
    assert (shown[0], shown[-1]) == (rows[0], rows[-1])


def test_the_timeline_has_a_choice_of_points_and_marks_what_changes(write_run: Make) -> None:
    results = read_results(write_run())
    figure, points, traces = over_time(results.summary, results.timeline)
    assert points == list(range(12))
    assert len(figure.data) == 12 * traces
    assert [trace.visible for trace in figure.data] == [True] * traces + [False] * (11 * traces)
    assert [note.text for note in figure.layout.annotations] == ["new version (duphil)", "head svm"]
    first = [row for row in results.timeline if row["point"] == 0]
    assert figure.data[0].y[0] == first[0]["level_sum"] / first[0]["sent"]


def test_long_timelines_of_many_points_are_bounded(write_run: Make, make_point: Make) -> None:
    rows = rows_over(make_point, fleet__cameras=list(range(100, 160)))
    results = read_results(write_run(rows))
    hour = [{**row, "second": 60 * row["second"] + s} for row in results.timeline[:60] for s in range(60)]
    figure, points, traces = over_time(results.summary, [*hour, *results.timeline[60:]])  # type: ignore[list-item]
    assert len(points) <= MOST_POINTS
    assert len(figure.data[0].x) == 400
    assert figure.data[traces - 2].y[0] == pytest.approx(results.timeline[0]["offered"])
