"""Heads that were retrained stand in the summary and under the closing table, each in a sentence."""

from dataclasses import replace

from fleet_sim.registry.lessons import Retrained
from fleet_sim.report.retrained import retrained_rows, retrained_words

FRESH = Retrained("fresh", "ab" * 32, 85_000_000, 3000, 10, 45_000_000)
TIMED = Retrained("timed", "cd" * 32, 60_000_000, 12, 3, None)
LEFT = Retrained("left", None, 70_000_000, 1, 1, 45_000_000)


def test_a_sentence_a_head_of_the_first_seed() -> None:
    rows = [*retrained_rows(0, 0, [TIMED, LEFT, FRESH], ["ef" * 32]), *retrained_rows(0, 1, [FRESH], [])]
    assert [row["repeat"] for row in rows] == [0, 0, 0, 1]
    assert not any("encoder" in row for row in rows)
    assert retrained_words(rows[:3]) == [
        "head timed: retrained at 60 s on 12 received frames",
        "head left: not retrained at 70 s, 1 frame of 1 class had a label and 10 of 2 are needed, "
        "after the alarm at 45 s",
        "head fresh: retrained at 85 s on 3,000 received frames, after the alarm at 45 s",
    ]
    assert [line[-19:] for line in retrained_words(rows)] == [" (first of 2 seeds)"] * 3


def test_of_several_encoders_each_head_says_which_it_reads() -> None:
    rows = retrained_rows(0, 0, [replace(TIMED, encoder=1), replace(LEFT, encoder=0)], ["ab" * 32, "ef" * 32])
    assert [row["encoder"] for row in rows] == ["ef" * 32, "ab" * 32]
    assert (
        retrained_words(rows)[0] == "head timed for encoder efefefef: retrained at 60 s on 12 received frames"
    )
