"""What is said of alarms, with one seed and with several."""

from fleet_sim.report.watch import alarm_words, of_first_seed

NEVER = {"fewer_bits": None, "escapes": None}


def test_a_group_is_named_with_its_first_alarm() -> None:
    alarms = {
        "gate": {"more_bits": 40.0, "fewer_bits": None, "escapes": 30.0},
        "yard": {"more_bits": None, **NEVER},
    }
    by_seed = {
        f"alarm_s_{group}_{chart}": [at_s]
        for group, charts in alarms.items()
        for chart, at_s in charts.items()
    }
    assert alarm_words(alarms, by_seed) == ["alarm: gate, more escapes than before, at 30 s"]
    assert of_first_seed(alarms, by_seed) == alarms


def test_of_several_seeds_it_is_told_how_many_alarmed() -> None:
    alarms = {"gate": {"more_bits": 45.0, **NEVER}}
    by_seed = {"alarm_s_gate_more_bits": [None, 40.0, 50.0]} | {
        f"alarm_s_gate_{chart}": [None] * 3 for chart in NEVER
    }
    assert alarm_words(alarms, by_seed) == [
        "alarm: gate, more bits than before, at 45 s, mean of 2 of 3 seeds"
    ]
    assert of_first_seed(alarms, by_seed) == {"gate": {"more_bits": None, **NEVER}}
