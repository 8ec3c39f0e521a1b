"""The tutorial works as it is written, on generated photographs."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from documented import ROOT, follow

pytestmark = pytest.mark.timeout(1800)  # a minute of processor time, in a dozen processes


def test_every_command_of_the_tutorial_works_and_shows_what_it_says(tmp_path: Path) -> None:
    follow(ROOT / "docs" / "tutorial.md", tmp_path)
    (first,) = (tmp_path / "runs" / "first").iterdir()
    summary = json.loads((first / "summary.json").read_text())
    on_time = {(p["budget_bps"], p["cameras"]): p["accuracy_on_time"] for p in summary["points"]}
    assert len(on_time) == 9
    for budget in (2000, 3000, 6000):
        assert all(few >= more - 0.02 for few, more in pairwise(on_time[budget, n] for n in (100, 200, 400)))
    assert on_time[6000, 100] > 0.6  # a guess is right of a third
    assert on_time[2000, 400] < on_time[6000, 100] - 0.2
    (svm,) = (tmp_path / "runs" / "svm").iterdir()
    assert "</html>" in (svm / "compare.html").read_text()
    (sized,) = (tmp_path / "runs").glob("yard-size-*")
    assert 100 < json.loads((sized / "size.json").read_text())["value"] < 400
    assert (tmp_path / "monitoring" / "README.md").exists()
