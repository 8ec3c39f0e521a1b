import pytest

from fleet_sim.report import words


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("link.budget_bps", 20_000, "20 kbit/s"),
        ("link.budget_bps", 12_500, "12.5 kbit/s"),
        ("link.budget_bps", 999, "999 bit/s"),
        ("link.budget_bps", 2_500_000_000, "2.5 Gbit/s"),
        ("fleet.cameras", 1, "1 camera"),
        ("fleet.cameras", 20_000, "20,000 cameras"),
        ("serving.deadline_us", 500_000, "deadline 500 ms"),
        ("duration_us", 90_000_000, "duration 1.5 min"),
        ("link.buffer_bytes", 1500, "buffer 1,500 bytes"),
        ("control.controller", "fixed", "controller fixed"),
        ("control.headroom", 0.95, "headroom 0.95"),
        ("data.scenes", None, "scenes -"),
    ],
)
def test_values_are_said_with_unit_and_name(path: str, value: str | float | None, said: str) -> None:
    assert words.label(path, value) == said


def test_what_is_not_there_is_a_dash() -> None:
    assert [words.percent(None), words.number(None), words.milliseconds(None)] == ["-"] * 3
    assert words.milliseconds(55.114) == "55.1 ms"
    assert words.labels({}) == "the one point"
