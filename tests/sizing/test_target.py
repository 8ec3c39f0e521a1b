import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.sizing.target import Target, read_target


def test_margins_are_shares_of_the_bound_to_the_right_side() -> None:
    row = {"accuracy_on_time": 0.81, "latency_ms": {"p99": 600.0, "p95": None}}
    assert read_target("accuracy_on_time=0.9").margin(row) == pytest.approx(-0.1)
    assert read_target("latency_ms.p99=500").margin(row) == pytest.approx(-0.2)
    assert read_target("latency_ms.p99=1e3").margin(row) == pytest.approx(0.4)
    assert Target("latency_ms.p95", 500).margin(row) == -1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy_ontime=0.9", "did you mean accuracy_on_time"),
        ("accuracy_on_time", "expected accuracy_on_time= and a number"),
        ("accuracy_on_time=high", "expected accuracy_on_time= and a number"),
        ("accuracy_on_time=90", "is a share, at most 1"),
        ("latency_ms.p99=-5", "a number above 0"),
    ],
)
def test_bad_targets_say_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_target(text)
