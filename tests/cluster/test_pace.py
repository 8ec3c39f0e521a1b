"""How work is cut: by how many frames come, whole control periods where they fit, and nothing left over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_fleet import tiny_scenario

from fleet_sim.cluster.pace import FRAMES_A_CALL, crews_for, epoch_end, pace_of, server_members, share_out

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
    ends = [0]
    while ends[-1] < 10:
        ends.append(epoch_end(ends[-1], 10, 4, [0, None, 5, 8, 11]))
    assert ends == [0, 4, 5, 8, 10]
    assert epoch_end(0, 3, 4, []) == 3


@given(st.integers(1, 300), st.integers(1, 40))
def test_servers_are_shared_out_evenly(servers: int, members: int) -> None:
    shares = share_out(servers, members)
    assert sum(shares) == servers
    assert len(shares) == members
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("shards", "points", "cores", "crews"), [(2, 9, 2, 1), (2, 9, 7, 3), (2, 2, 64, 2), (8, 9, 2, 1)]
)
def test_there_are_as_many_crews_as_cores_and_points_allow(
    shards: int, points: int, cores: int, crews: int
) -> None:
    scenario = tiny_scenario(cluster={**AUTO, "shards": shards})
    assert crews_for(scenario, points, cores) == crews


def test_servers_with_gpus_are_members_of_their_own_and_never_doubled() -> None:
    serving = {"head": "plain", "servers": 5, "num_gpus": 1}
    scenario = tiny_scenario(cluster=AUTO, serving=serving)
    assert server_members(scenario) == 5
    assert crews_for(scenario, 9, 64) == 1
    assert server_members(tiny_scenario(cluster=AUTO, serving={**serving, "num_gpus": 0})) == 2
