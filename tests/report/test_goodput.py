"""Where goodput stops growing: knees of made-up sweeps, and what of them is shown."""

from typing import Any

import pytest

from fleet_sim.report.goodput import goodput, knee_words, knees, lines_of


def rows(goodput_per_s: list[float], shed: str | None = None) -> list[Any]:
    """Points at 100, 200 and so on frames a second, in falling order."""
    found = []
    for place, rate in enumerate(goodput_per_s, start=1):
        sweep = {"fleet.cameras": place} | ({"serving.shed": shed} if shed else {})
        serving = {"offered_per_s": 100.0 * place, "goodput_per_s": rate, "utilisation": 0.5}
        found.append({"sweep": sweep, "serving": serving, "latency_ms": {"p99": 1.0}})
    return found[::-1]


@pytest.mark.parametrize(
    ("goodput_per_s", "load", "at_highest"),
    [
        ([90, 180, 185, 186], 200.0, 1.0),
        ([90, 180, 60, 20], 200.0, 0.111111),
        ([100, 100, 100], 100.0, 1.0),
        ([90, 172, 180], 200.0, 1.0),
        ([90, 180, 270], None, 1.0),
        ([0, 0, 0], None, 0.0),
    ],
)
def test_the_knee_is_the_least_load_near_the_peak(
    goodput_per_s: list[float], load: float | None, at_highest: float
) -> None:
    (knee,) = knees(rows(goodput_per_s))
    assert (knee["load_per_s"], knee["at_highest_load"]) == (load, at_highest)


def test_a_line_is_all_points_that_differ_in_load_alone() -> None:
    both = rows([90, 180, 60], "none") + rows([90, 180, 180], "late")
    assert [knee["line"] for knee in knees(both)] == ["shed none", "shed late"]
    assert [len(line) for line in lines_of(both).values()] == [3, 3]
    assert "33.3 % at the highest load" in knee_words(knees(both)[0])
    figure = goodput(both)
    assert figure is not None
    assert [list(trace.x) for trace in figure.data] == [[100, 200, 300]] * 2
    assert len(figure.layout.annotations) == 2


def test_without_a_sweep_over_load_there_is_no_knee() -> None:
    one = rows([90, 180])
    assert knees(one) == []
    assert goodput(one) is None
    assert knees([{**row, "sweep": {"link.budget_bps": 1}} for row in rows([1, 2, 3])]) == []
