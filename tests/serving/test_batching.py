"""Batches on one server, against a model that asks at every moment, and by their promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving.batching_reference import batches

from fleet_sim.serving.batching import run_batches
from fleet_sim.serving.replicas import BATCHES, BUSY_US, FRAMES, WAIT_US, WORK
from fleet_sim.serving.table import line_us

RULES = st.tuples(st.integers(1, 5), st.integers(0, 12), st.integers(0, 9), st.integers(1, 6))
ARRIVALS = st.lists(st.integers(0, 60), max_size=25).map(sorted)
END_US = 10_000

Rule = tuple[int, int, int, int]


def served(arrive_us: list[int], rule: Rule, ends_us: list[int]) -> list[tuple[int, int]]:
    """(start, done) of every frame, the server run from each time to the next."""
    most, max_wait_us, batch_us, frame_us = rule
    one_head = line_us(batch_us, frame_us, most)[None], np.zeros(1, np.int64), np.zeros(1, np.int64)
    work_Q = np.zeros(len(WORK), np.int64)
    waiting, free_us, answered = np.array(arrive_us, np.int64), 0, []
    for until_us in [*ends_us, END_US]:
        present = waiting[waiting < until_us]
        start_us, done_us = np.empty_like(present), np.empty_like(present)
        taken, free_us = run_batches(
            present, free_us, until_us, max_wait_us, *one_head, END_US, start_us, done_us, work_Q
        )
        answered += list(zip(start_us[:taken].tolist(), done_us[:taken].tolist(), strict=True))
        waiting = waiting[taken:]
    return answered


@settings(max_examples=500, deadline=None)
@given(ARRIVALS, RULES)
def test_every_frame_is_answered_when_the_model_answers_it(arrive_us: list[int], rule: Rule) -> None:
    assert served(arrive_us, rule, []) == batches(arrive_us, *rule)


@settings(max_examples=200, deadline=None)
@given(ARRIVALS, RULES, st.sets(st.integers(1, 200)))
def test_where_time_is_cut_changes_nothing(arrive_us: list[int], rule: Rule, cuts_us: set[int]) -> None:
    assert served(arrive_us, rule, sorted(cuts_us)) == served(arrive_us, rule, [])


@settings(max_examples=200, deadline=None)
@given(ARRIVALS, RULES)
def test_batches_keep_their_promises(arrive_us: list[int], rule: Rule) -> None:
    most, max_wait_us, batch_us, frame_us = rule
    answered = served(arrive_us, rule, [])
    free_us = 0
    for start_us, done_us in sorted(set(answered)):
        members = [a for a, times in zip(arrive_us, answered, strict=True) if times == (start_us, done_us)]
        assert 1 <= len(members) <= most
        assert max(members) <= start_us  # nothing is served before it came
        assert done_us == start_us + batch_us + frame_us * len(members)
        assert start_us >= free_us  # one batch at a time
        assert start_us <= max(free_us, members[0] + max_wait_us)  # an idle server lets nothing wait longer
        free_us = done_us


@pytest.mark.parametrize(
    ("arrive_us", "wanted"),
    [
        pytest.param([0], [(10, 14)], id="alone: waits, then goes"),
        pytest.param([0, 1, 2], [(2, 8), (2, 8), (2, 8)], id="full: goes at once"),
        pytest.param([0, 10], [(10, 15), (10, 15)], id="comes in the very microsecond of the start"),
        pytest.param([0, 11], [(10, 14), (21, 25)], id="comes just after"),
        pytest.param([0, 0, 0, 1, 1], [(0, 6)] * 3 + [(11, 16)] * 2, id="the rest waits for its own time"),
        pytest.param(
            [0, 0, 0, 1, 1, 1], [(0, 6)] * 3 + [(6, 12)] * 3, id="a full batch waits for the server"
        ),
    ],
)
def test_batches_written_out(arrive_us: list[int], wanted: list[tuple[int, int]]) -> None:
    assert served(arrive_us, (3, 10, 3, 1), []) == wanted


def test_a_batch_takes_as_long_as_the_head_in_force_at_its_start() -> None:
    service_us_HN = np.array([[0, 5, 9], [0, 100, 101]])
    start_us, done_us = np.empty(4, np.int64), np.empty(4, np.int64)
    from_us_W, head_W = np.array([0, 20]), np.array([0, 1])
    arrive_us = np.array([0, 19, 19, 20])
    work_Q = np.zeros(len(WORK), np.int64)
    run_batches(arrive_us, 0, 10_000, 0, service_us_HN, from_us_W, head_W, 60, start_us, done_us, work_Q)
    assert work_Q[[BATCHES, FRAMES, WAIT_US]].tolist() == [3, 4, 8]
    assert work_Q[BUSY_US] == 5 + 9 + (60 - 28)  # of the last as much as is done when the run ends
    assert list(zip(start_us.tolist(), done_us.tolist(), strict=True)) == [
        (0, 5),
        (19, 28),
        (19, 28),
        (28, 128),
    ]
