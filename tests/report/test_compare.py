from pathlib import Path
from typing import Any

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.report.compare import Comparison, compare
from fleet_sim.report.compare_view import verdict, write_page
from fleet_sim.report.results import Results

ALIKE = {"accuracy": 0.9, "latency_ms_p95": 80.0, "bpp_wire": 0.2, "link_utilisation": 0.5}


def results(*on_time: float, seeds: list[int] | None = None, budget: int = 1000, head: str = "ce") -> Results:
    by_seed = {"accuracy_on_time": list(on_time)} | {name: [v] * len(on_time) for name, v in ALIKE.items()}
    row = {
        "sweep": {"link.budget_bps": budget},
        "seeds": seeds or list(range(len(on_time))),
        "by_seed": by_seed,
    }
    summary: Any = {"points": [row], "scenario": {"serving": {"head": head}, "seed": 1}}
    return Results(summary, [])


def on_time(comparison: Comparison) -> Any:
    return next(one for one in comparison.differences if one.figure == "accuracy_on_time")


def test_what_both_runs_share_by_chance_is_no_part_of_a_paired_difference() -> None:
    luck = (0.80, 0.90, 0.85, 0.95, 0.70)
    little = (0, 1e-4, -1e-4, 2e-4, 0)
    a = results(*luck)
    b = results(*(value + 0.01 + noise for value, noise in zip(luck, little, strict=True)))
    paired = on_time(compare("a", a, "b", b))
    assert paired.matters
    assert paired.half_width < 0.001
    apart = results(*(value + 0.01 for value in luck), seeds=[5, 6, 7, 8, 9])
    unpaired = on_time(compare("a", a, "b", apart))
    assert not unpaired.matters
    # Welch with equal spreads: s * sqrt(2 / 5), 8 degrees of freedom, t = 2.306.
    assert unpaired.half_width == pytest.approx(2.306 * 0.0961769 * (2 / 5) ** 0.5, rel=1e-3)


def test_equal_runs_do_not_differ() -> None:
    same = results(0.8, 0.9, 0.85)
    found = compare("a", same, "b", same)
    assert not any(one.matters for one in found.differences)
    assert verdict(found).startswith("No difference found among 5 figures")


def test_settings_that_differ_are_told() -> None:
    found = compare("a", results(0.8, 0.9), "b", results(0.8, 0.9, head="svm"))
    assert found.settings == {"serving.head": ("ce", "svm")}


def test_one_seed_says_nothing_of_luck() -> None:
    found = compare("a", results(0.8), "b", results(0.2))
    assert on_time(found).half_width is None
    assert not on_time(found).matters
    assert "sweep.seeds" in verdict(found)


def test_runs_of_other_points_are_refused() -> None:
    with pytest.raises(UserError, match="no point with the same swept values"):
        compare("a", results(0.8), "b", results(0.8, budget=2000))


def test_the_page_names_what_matters(tmp_path: Path) -> None:
    luck = (0.80, 0.90, 0.85, 0.95, 0.70)
    found = compare("a<i>b", results(*luck), "b", results(*(value + 0.02 for value in luck)))
    text = write_page(found, tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "1 of 5 figures differ" in text
    assert "<td>84.0 %</td><td>86.0 %</td><td>+2.00 ±0.00</td><td>yes</td>" in text
    assert "a&lt;i&gt;b" in text
    assert "a<i>b" not in text
