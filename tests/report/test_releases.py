"""What reports say of releases, from counts worked out by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.engine.counts import Counts
from fleet_sim.registry.rollout import Change
from fleet_sim.report.html import write_html
from fleet_sim.report.releases import in_force, release_rows, release_words, version_rows
from fleet_sim.report.releases_view import MOST_PANELS, versions_figure
from fleet_sim.report.results import Results, read_results, write_results
from fleet_sim.scenario import Scenario

SWITCHES = [{"at_us": f"{at} s", "head": head} for at, head in ((1, "kl"), (2, "svm"), (3, "ce"))]
GROUPS = [{"name": "doors", "share": 0.5}, {"name": "yards", "share": 0.5}]


def scenario_of(**fields: Any) -> Scenario:
    return Scenario.model_validate({"name": "x", "serving": {"switches": SWITCHES}, "rollout": {}, **fields})


def counts_of(*events: tuple[int, int, Change, int], groups: int = 0) -> Counts:
    rows = [(number, at_s * 1_000_000, what, percent * 10_000) for number, at_s, what, percent in events]
    counts = Counts.zero(1, 9, 0, 1, 1, groups, 3, releases=True)
    return replace(counts, events_E4=np.array(rows, np.int64).reshape(-1, 4))


BACK_THEN_THROUGH = (
    (0, 1, Change.BEGUN, 5),
    (0, 3, Change.WAVE, 10),
    (0, 4, Change.BACK_WORSE, 10),
    (1, 4, Change.BEGUN, 5),
    (1, 6, Change.WAVE, 100),
    (1, 7, Change.THROUGH, 100),
)


def test_a_sentence_says_how_each_release_ended() -> None:
    rows = release_rows(0, scenario_of(), counts_of(*BACK_THEN_THROUGH))
    assert release_words(rows) == [
        "head kl: begun at 1 s, taken back as worse at 4 s, had reached 10 % of the cameras",
        "head svm: begun at 4 s, through at 7 s",
        "head ce: not begun",
    ]
    assert rows[0]["events"][1] == {"at_s": 3.0, "what": "wave", "share": 0.1}
    under_way = release_rows(0, scenario_of(), counts_of((0, 1, Change.BEGUN, 5), (0, 3, Change.WAVE, 40)))
    assert release_words(under_way)[0] == "head kl: begun at 1 s, still at 40 % of the cameras at the end"


def test_of_several_seeds_the_first_is_told_in_order_of_time_and_how_many_ended_alike() -> None:
    late = ((1, 1, Change.BEGUN, 5), (1, 3, Change.THROUGH, 100), (0, 3, Change.BEGUN, 5))
    first, second = counts_of(*late), counts_of(*late, (0, 5, Change.BACK_WORSE, 5))
    rows = [
        row
        for repeat, counts in enumerate((first, second))
        for row in release_rows(0, scenario_of(), counts, repeat=repeat)
    ]
    assert release_words(rows) == [
        "head svm: begun at 1 s, through at 3 s (first of 2 seeds, 2 ended so)",
        "head kl: begun at 3 s, still at 5 % of the cameras at the end (first of 2 seeds, 1 ended so)",
        "head ce: not begun (first of 2 seeds, 2 ended so)",
    ]


def test_without_labels_nothing_is_said_of_better_or_worse() -> None:
    unlabelled = scenario_of(rollout={"guard": {"kind": "unlabelled"}})
    words = release_words(release_rows(0, unlabelled, counts_of(*BACK_THEN_THROUGH)))
    assert words[0].startswith(
        "head kl: begun at 1 s, taken back as it agrees with the head before less than"
    )


def test_an_encoder_is_called_by_its_id_once_it_is_there() -> None:
    updated = scenario_of(train={"recipe": "e2e", "updates": [{"at_us": "1500 ms"}]})
    counts = counts_of(*BACK_THEN_THROUGH)
    for encoders, name in ((["a" * 64, "b" * 64], "encoder bbbbbbbb"), (["a" * 64], "encoder 1")):
        assert release_rows(0, updated, counts, encoders)[1]["release"] == name
    under_way = release_rows(0, updated, counts_of((1, 2, Change.BEGUN, 5)))
    assert (
        release_words(under_way)[0]
        == "encoder 1: begun at 2 s, still on its way to 5 % of the cameras at the end"
    )


def test_in_force_is_what_went_through_last() -> None:
    heads = [(0, "ce"), (7_000_000, "svm")]
    assert in_force(scenario_of(), counts_of(*BACK_THEN_THROUGH)) == ([(0, 0)], heads)
    last_moment = ((0, 1, Change.BEGUN, 5), (0, 3, Change.WAVE, 100), (0, 4, Change.BACK_WORSE, 100))
    assert in_force(scenario_of(), counts_of(*last_moment)) == ([(0, 0)], [(0, "ce")])
    updated = scenario_of(train={"recipe": "e2e", "updates": [{"at_us": "1500 ms"}]})  # the second to begin
    assert in_force(updated, counts_of(*BACK_THEN_THROUGH)) == ([(0, 0), (7_000_000, 1)], [(0, "ce")])


def test_versions_have_a_row_for_each_second_in_which_they_answered() -> None:
    counts = counts_of(*BACK_THEN_THROUGH, groups=2)
    counts.answers_GVHS3[1, 0, 2, 5] = 40, 8, 7
    assert version_rows(3, scenario_of(fleet={"groups": GROUPS}), counts, ["abc"]) == [
        {
            "point": 3,
            "group": "yards",
            "second": 5,
            "encoder": "abc",
            "head": "svm",
            "answered": 40,
            "labels": 8,
            "labels_right": 7,
        }
    ]


@pytest.fixture
def released(write_run: Callable[..., Path]) -> Path:
    """A made-up run of twelve points with a release at the first."""
    folder = write_run(update=False)
    results = read_results(folder)
    later = [(number, 100 * at_s, *event) for number, at_s, *event in BACK_THEN_THROUGH]
    rows = release_rows(0, scenario_of(), counts_of(*later))
    answered = [
        {"point": p, "group": "all cameras", "second": s, "encoder": "abc", "head": head, "answered": n}
        for p in range(12)
        for s in range(1200)
        for head, n in (("ce", 30), ("kl", 10))
    ]
    summary, points = {**results.summary, "releases": rows}, results.summary["points"]
    write_results(folder, summary, points, results.timeline, answered)  # type: ignore[arg-type]
    return folder


def test_the_report_shows_who_was_answered_by_what(released: Path) -> None:
    page = write_html(released).read_text()
    assert "<h2>Who was answered by what</h2>" in page
    assert "8 of 12 panels are shown" in page
    assert "head kl taken back as worse, head svm begins" in page
    assert (
        "head kl: begun at 100 s, taken back as worse at 400 s, had reached 10 % of the cameras.</p>" in page
    )
    assert page.count(": not begun.</p>") == 1


def test_a_run_whose_releases_lack_something_is_refused_in_words(released: Path) -> None:
    file = released / "summary.json"
    summary = json.loads(file.read_text())
    del summary["releases"][0]["repeat"]
    file.write_text(json.dumps(summary))
    with pytest.raises(UserError, match=r"its results cannot be read: summary\.json lacks releases\.repeat"):
        write_html(released)


def test_shares_add_up_in_every_bin(released: Path) -> None:
    results: Results = read_results(released)
    figure, shown, there_are = versions_figure(results.summary, results.versions)
    assert (shown, there_are) == (MOST_PANELS, 12)
    ce, kl = figure.data[:2]
    assert (ce.name, kl.name) == ("ce", "kl")
    assert len(ce.x) == 400
    assert set(ce.y) == {0.75}
    assert set(kl.y) == {0.25}
