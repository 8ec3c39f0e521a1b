"""What servers keep for a head to be retrained: what a list of all labelled frames would give."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.engine.lessons import (
    Kept,
    Lesson,
    forget,
    is_labelled,
    kept_with,
    labelled_by,
    labels_as_given,
    nothing_kept,
)
from fleet_sim.engine.sent import Sent, room_for

Answer = tuple[int, int, int]  # done_us, camera, frame


def answered(answers: list[Answer]) -> Kept:
    frames = room_for(len(answers))
    for column in frames:
        column[:] = 0
    done_us, frames.camera[:], frames.frame[:] = np.array(answers, np.int64).reshape(-1, 3).T
    return Kept(frames, done_us, np.full(len(answers), b"", object))


@given(
    st.sets(st.tuples(st.integers(0, 50), st.integers(0, 3), st.integers(0, 3))),
    st.integers(1, 8),
    st.integers(0, 20),
    st.sets(st.integers(1, 60)),
)
def test_the_last_with_labels_however_often_others_were_forgotten(
    answers: set[Answer], frames: int, delay_us: int, steps_us: set[int]
) -> None:
    lesson = Lesson(frames, 1_000_000, 0, delay_us)
    kept, before_us = nothing_kept(), 0
    for now_us in sorted(steps_us | {60}):
        new = [answer for answer in answers if before_us <= answer[0] < now_us]
        kept, before_us = forget(kept_with(kept, answered(new)), lesson, now_us), now_us
        due = sorted(answer for answer in answers if answer[0] < now_us and answer[0] + delay_us <= now_us)
        found = labelled_by(kept, lesson, now_us)
        columns = found.done_us_K, found.frames.camera, found.frames.frame
        assert list(zip(*(column.tolist() for column in columns), strict=True)) == due[-frames:]
        waiting = sum(answer[0] + delay_us > now_us for answer in answers if answer[0] < now_us)
        assert len(kept.done_us_K) <= frames + waiting


def many(cameras: int, frames: int) -> Sent:
    sent = room_for(cameras * frames)
    sent.camera[:], sent.frame[:] = np.divmod(np.arange(cameras * frames), frames)
    return sent


def test_shares_are_as_stated_and_only_answers_get_labels() -> None:
    sent, head_M = many(200, 100), np.zeros(20_000, np.int16)
    head_M[::2] = -1
    chosen_M = is_labelled(sent, head_M, 1, 100_000)
    assert not chosen_M[::2].any()
    assert abs(chosen_M.sum() - 1_000) < 5 * 30  # five standard deviations
    label_M = np.arange(20_000) % 10
    given_M = labels_as_given(sent, label_M, 1, 200_000, 10)
    further_M = (given_M - label_M) % 10
    assert abs((further_M > 0).sum() - 4_000) < 5 * 57
    counts_K = np.bincount(further_M, minlength=10)[1:]
    assert (abs(counts_K - 4_000 / 9) < 5 * 21).all()  # any other class is as likely
