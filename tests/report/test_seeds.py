import pytest

from fleet_sim.report import intervals
from fleet_sim.report.seeds import together


def row(accuracy: float | None, offered: int, p95: float | None) -> dict[str, object]:
    return {
        "cameras": 10,
        "accuracy": accuracy,
        "frames_offered": offered,
        "frames_dropped": {"buffer": 1, "loss": 2},
        "latency_ms": {"p95": p95},
        "cell_wire_bps_max": 100 * offered,
    }


def test_shares_are_means_and_counts_are_sums() -> None:
    joined = together([row(0.5, 10, 80.0), row(0.6, 12, 90.0), row(0.7, 14, 100.0)], [1, 2, 3])
    assert joined["accuracy"] == pytest.approx(0.6)
    assert joined["latency_ms"] == {"p95": 90.0}
    assert (joined["frames_offered"], joined["frames_dropped"]) == (36, {"buffer": 3, "loss": 6})
    assert (joined["cameras"], joined["cell_wire_bps_max"], joined["seeds"]) == (10, 1400, [1, 2, 3])
    assert joined["by_seed"] == {"accuracy": [0.5, 0.6, 0.7], "latency_ms_p95": [80.0, 90.0, 100.0]}
    # t = 4.303 with 2 degrees of freedom; standard deviations 0.1 and 10.
    assert joined["interval"] == {
        "accuracy": pytest.approx(4.3027 * 0.1 / 3**0.5, rel=1e-4),
        "latency_ms_p95": pytest.approx(4.3027 * 10 / 3**0.5, rel=1e-4),
    }


def test_one_seed_stays_as_it_was() -> None:
    alone = row(0.5, 10, None)
    joined = together([alone], [7])
    assert {name: joined[name] for name in alone} == alone
    assert joined["interval"] == {"accuracy": None, "latency_ms_p95": None}


def test_no_interval_where_a_seed_has_no_value() -> None:
    joined = together([row(0.5, 10, None), row(0.6, 12, 90.0)], [1, 2])
    assert joined["latency_ms"] == {"p95": 90.0}
    assert joined["interval"]["latency_ms_p95"] is None  # type: ignore[index]
    assert joined["by_seed"]["latency_ms_p95"] == [None, 90.0]  # type: ignore[index]


def test_figures_show_their_interval() -> None:
    joined = {"accuracy": 0.931, "level_mean": 5.214, "interval": {"accuracy": 0.004, "level_mean": None}}
    assert intervals.percent(joined, "accuracy") == "93.1 ±0.4 %"  # type: ignore[arg-type]
    assert intervals.number(joined, "level_mean", 2) == "5.21"  # type: ignore[arg-type]
