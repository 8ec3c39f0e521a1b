"""Table 1 on made-up images that any classifier can tell apart."""

import pytest

from trainers.reproduce import table1

EASY = {
    "e2e": {"epochs": 30, "batch": 20, "learning_rate": 0.05},
    "head_training": {"epochs": 12, "batch": 20},
}


def test_rows_of_two_seeds(subject, do):
    subjects = [subject(seed, **EASY) for seed in (0, 1)]
    found = table1.results(subjects, do(table1.targets(subjects)))
    rows = {(row["recipe"], row["classifier"]): row for row in found["rows"]}
    assert set(rows) == {(r, c) for r in ("e2e", "duphil") for c in ("ce", "kl", "svm")}
    for row in rows.values():
        assert row["test_accuracy"]["n"] == 2
        assert row["test_accuracy"]["mean"] == pytest.approx(sum(row["test_accuracy"]["values"]) / 2)
        assert row["test_accuracy"]["mean"] > 0.6
        assert row["seconds"] > 0
    assert rows["e2e", "svm"]["epochs"] == {"e2e": 30}
    assert rows["duphil", "svm"]["epochs"] == {"e2e": 30, "duphil": 2}
    (chart,) = table1.charts(found)
    assert [series.name for series in chart.series] == ["e2e", "duphil"]
