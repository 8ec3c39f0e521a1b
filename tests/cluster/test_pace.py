"""How work is cut: by how many frames come, whole control periods where they fit, and nothing left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_fleet import tiny_scenario

from fleet_sim.cluster.pace import FRAMES_A_CALL, epoch_ends, pace_of, share_out

AUTO = {"backend": "local", "shards": 2, "epoch_us": "auto"}


@given(st.integers(1, 10**8), st.integers(10**3, 10**10), st.integers(10**3, 10**10))
def test_auto_epochs_hold_about_so_many_frames_in_whole_periods_or_equal_parts_of_one(
    cameras: int, frame_period_us: int, period_us: int
) -> None:
    point = tiny_scenario(
        cluster=AUTO,
        fleet={"cameras": cameras, "cells": 1, "frame_period_us": frame_period_us},
        control={"period_us": period_us},
    )
    pace = pace_of(point)
    frames = cameras / 2 * pace.epoch_us / frame_period_us
    assert frames <= FRAMES_A_CALL or pace.epoch_us == 1
    if pace.epoch_us >= period_us:
        assert pace.epoch_us % period_us == 0
        assert frames >= FRAMES_A_CALL / 2
    else:
        parts = -(-period_us // (pace.epoch_us + 1))
        assert period_us // parts == pace.epoch_us


def test_what_a_user_says_of_epochs_stands() -> None:
    assert pace_of(tiny_scenario(cluster={**AUTO, "epoch_us": "700 ms"})).epoch_us == 700_000


@pytest.mark.parametrize(("cameras", "every"), [(30, 1), (7_000, 1), (1_000_000, 16)])
def test_large_states_are_copied_more_seldom(cameras: int, every: int) -> None:
    fleet = {"cameras": cameras, "cells": 10, "frame_period_us": "1 s"}
    assert pace_of(tiny_scenario(cluster=AUTO, fleet=fleet)).snapshot_every == every
    assert pace_of(tiny_scenario(cluster=AUTO, fleet=fleet, mode="live")).snapshot_every == 1


def test_epochs_end_at_every_stop_within_the_run_and_at_its_end() -> None:
    assert epoch_ends(10, 4, [0, 5, 8, 11]) == [4, 5, 8, 10]
    assert epoch_ends(3, 4, []) == [3]


@given(st.integers(1, 300), st.integers(1, 40))
def test_servers_are_shared_out_evenly(servers: int, members: int) -> None:
    shares = share_out(servers, members)
    assert sum(shares) == servers
    assert len(shares) == members
    assert max(shares) - min(shares) <= 1
