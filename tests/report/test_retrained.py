"""Heads that were retrained stand in the summary and under the closing table, each in a sentence."""

from fleet_sim.registry.lessons import Retrained
from fleet_sim.report.retrained import retrained_rows, retrained_words

FRESH = Retrained("fresh", "ab" * 32, 85_000_000, 3000, 45_000_000)
TIMED = Retrained("timed", "cd" * 32, 60_000_000, 12, None)


def test_a_sentence_a_head_of_the_first_seed() -> None:
    rows = [*retrained_rows(0, 0, [TIMED, FRESH]), *retrained_rows(0, 1, [FRESH])]
    assert [row["repeat"] for row in rows] == [0, 0, 1]
    assert retrained_words(rows) == [
        "head timed: retrained at 1 min on 12 received frames",
        "head fresh: retrained at 1.417 min on 3,000 received frames, after the alarm at 45 s",
    ]
