"""Conformance: the models hold, and a model that does not is found out."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.conformance import (
    Check,
    accounts,
    all_checks,
    capacity,
    channel,
    lab,
    queueing,
    serving,
    sharing,
)
from fleet_sim.conformance.check import by_chance, exactly, within
from fleet_sim.conformance.queueing import exponential
from fleet_sim.conformance.sharing import max_min_shares
from fleet_sim.conformance.table import heading, line
from fleet_sim.engine.fleet import Fleet

ASKED = (
    "M/M/1",
    "M/D/1",
    "M/M/1/5",
    "token bucket",
    "Gilbert-Elliott",
    "max-min",
    "ALOHA",
    "conservation",
    "server M/D/1",
    "server of batches",
    "4 hashed replicas",
)


def test_every_link_model_holds() -> None:
    checks = list(all_checks(seed=1))
    assert [line(check) for check in checks if not check.holds] == []
    for model in ASKED:
        assert any(check.model.startswith(model) for check in checks)
    assert min(check.n for check in checks) > 1000


Change = Callable[[Fleet], Fleet]


def lossy(fleet: Fleet) -> Fleet:
    """One packet in a hundred more is lost."""
    more = (1 << 32) // 100
    return fleet._replace(link=fleet.link._replace(loss_good=fleet.link.loss_good + more))


def slow(fleet: Fleet) -> Fleet:
    """The link carries a twentieth less."""
    return fleet._replace(link=fleet.link._replace(bps=fleet.link.bps * 19 // 20))


def impatient(fleet: Fleet) -> Fleet:
    """A camera rests a tenth less than it must."""
    return fleet._replace(link=fleet.link._replace(rest_ppm=fleet.link.rest_ppm * 9 // 10))


def generous(fleet: Fleet) -> Fleet:
    """Tokens come a hundredth faster."""
    return fleet._replace(link=fleet.link._replace(token_bps=fleet.link.token_bps * 101 // 100))


def unfair(fleet: Fleet) -> Fleet:
    """First in, first out, whatever was asked for."""
    return fleet._replace(link=fleet.link._replace(sharing=0))


BROKEN: list[tuple[str, Callable[[int], Iterator[Check]], Change]] = [
    ("Gilbert-Elliott", channel.checks, lossy),
    ("ALOHA", channel.checks, slow),
    ("1 % duty cycle", channel.checks, impatient),
    ("token bucket", capacity.checks, generous),
    ("max-min", sharing.checks, unfair),
    ("round robin", sharing.checks, unfair),
    ("conservation", accounts.checks, lossy),
    ("M/M/1", queueing.checks, slow),
]


@pytest.mark.parametrize(("model", "checks", "change"), BROKEN)
def test_a_broken_model_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    checks: Callable[[int], Iterator[Check]],
    change: Change,
) -> None:
    whole = lab.simulate
    for room in (queueing, capacity, channel, sharing, accounts):
        monkeypatch.setattr(room, "simulate", lambda fleet, sizes: whole(change(fleet), sizes))
    found = (check for check in checks(1) if check.model.startswith(model))
    assert any(not check.holds for check in found)


def test_a_server_that_is_slower_than_it_should_be_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = serving.run_batches

    def slow(arrive_us_M, free_us, until_us, max_wait_us, service_us_HN, *rest):  # type: ignore[no-untyped-def]
        return whole(arrive_us_M, free_us, until_us, max_wait_us, service_us_HN * 102 // 100, *rest)

    monkeypatch.setattr(serving, "run_batches", slow)
    failed = [check.model for check in serving.checks(1) if not check.holds]
    assert failed == ["server M/D/1", "server of batches to 8"]


def test_batches_of_one_wait_as_in_a_plain_queue() -> None:
    assert serving.bulk_wait_us(0.7 / 60_000, np.array([0, 60_000])) == pytest.approx(70_000, rel=1e-6)
    assert serving.blocking(0.9, 200) == pytest.approx(0, abs=1e-6)
    assert serving.blocking(2.0, 200) == pytest.approx(0.5, abs=1e-6)


def test_chance_is_given_four_standard_errors() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    error = values.std(ddof=1) / 2
    check = by_chance("m", "q", values, 2.5 + 3.9 * error, 4)
    assert check.holds
    assert check.high - check.low == pytest.approx(8 * error)
    assert not by_chance("m", "q", values, 2.5 + 4.1 * error, 4).holds
    assert not exactly("m", "q", 1, 0, 1).holds
    assert within("m", "q", 1, 0, 0, 1, 1).holds


def test_exponential_values_have_its_mean_and_nearly_its_variance() -> None:
    values = exponential(3.0, 10_000)
    assert values.mean() == pytest.approx(3.0, rel=1e-12)
    assert values.var() == pytest.approx(9.0, rel=1e-3)
    assert (np.diff(values) < 0).all()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.1, 300))
def test_the_max_min_allocation_cannot_be_bettered(wanted: list[float], capacity_bps: float) -> None:
    want = np.array(wanted)
    given_bps = max_min_shares(want, capacity_bps)
    assert (given_bps <= want + 1e-9).all()
    assert given_bps.sum() == pytest.approx(min(capacity_bps, want.sum()), abs=1e-9)
    # Whoever is held back has as much as anybody.
    held_back = given_bps < want - 1e-9
    assert (given_bps[held_back] >= given_bps.max() - 1e-9).all()


def test_a_line_of_the_table_says_what_was_found() -> None:
    check = Check("M/M/1", "mean", 3.25, 3.0, 2.5, 3.5, 12_345)
    assert line(check).split() == ["M/M/1", "mean", "3.25", "3", "2.5", "..", "3.5", "12,345", "holds"]
    assert len(heading()) == len(line(check))
