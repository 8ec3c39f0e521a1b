"""The digest: pinned for a fleet of formulas, and changed by every count and everything it depends on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine.fleets import run_engine
from engine.formula import formula_case

from fleet_sim.engine.air import AIR_COLUMNS, LEFT, RETURNED, TAKEN_UP
from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.engine.digest import digest

GOLDEN = Path(__file__).parents[1] / "golden" / "engine_digest.json"
DEPENDS_ON = {"seed": 1, "version": "formula"}


@pytest.fixture(scope="module")
def counts() -> Counts:
    return run_engine(formula_case())[0]


def test_the_meaning_of_a_run_is_pinned(counts: Counts) -> None:
    # A change here changes what fleet-sim simulates: say so in CHANGELOG.md, then write the new figures.
    golden = json.loads(GOLDEN.read_text())
    totals = dict(zip(COLUMNS, counts.total_C.tolist(), strict=True))
    assert {**totals, "in_flight": counts.in_flight} == golden["totals"]
    assert digest(DEPENDS_ON, [counts]) == golden["digest"]


def test_the_pinned_run_has_everything_in_it(counts: Counts) -> None:
    seen = ("offered", "answered", "right", "right_on_time", "dropped_buffer", "dropped_deadline")
    totals = dict(zip(COLUMNS, counts.total_C.tolist(), strict=True))
    assert all(totals[name] > 10 for name in seen)
    assert totals["on_time"] < totals["answered"]
    assert counts.in_flight > 0
    level_sum_VS, sent_VS = (
        counts.by_second_VSC[:, :, COLUMNS.index(name)] for name in ("level_sum", "sent")
    )
    assert (sent_VS.sum(axis=1) > 0).all()
    assert 0 < level_sum_VS.sum() < 3 * sent_VS.sum()


@pytest.mark.parametrize(("ends_us", "shards"), [((1, 4_000_000), 3), (range(77_777, 8_500_000, 77_777), 11)])
def test_steps_and_shards_leave_the_digest_alone(counts: Counts, ends_us: range, shards: int) -> None:
    again, _ = run_engine(formula_case(), ends_us, shards)
    assert digest(DEPENDS_ON, [again]) == digest(DEPENDS_ON, [counts])


@pytest.mark.parametrize("table", ["by_second_VSC", "latency_VB", "wire_bits_by_cell"])
def test_any_count_changes_the_digest(counts: Counts, table: str) -> None:
    before = digest(DEPENDS_ON, [counts])
    values = getattr(counts, table)
    rng = np.random.default_rng(1)
    for place in rng.choice(values.size, min(values.size, 40), replace=False):
        changed = values.copy()
        changed.flat[place] += 1
        assert digest(DEPENDS_ON, [replace(counts, **{table: changed})]) != before


def test_frames_in_flight_points_and_dependencies_change_the_digest(counts: Counts) -> None:
    other = replace(counts, in_flight=counts.in_flight + 1)
    digests = [
        digest(DEPENDS_ON, [counts]),
        digest(DEPENDS_ON, [other]),
        digest(DEPENDS_ON, [counts, other]),
        digest(DEPENDS_ON, [other, counts]),
        digest(DEPENDS_ON, []),
        digest({**DEPENDS_ON, "seed": 2}, [counts]),
    ]
    assert len(set(digests)) == len(digests)


def test_the_same_numbers_in_another_shape_are_another_run(counts: Counts) -> None:
    swapped = replace(counts, by_second_VSC=counts.by_second_VSC.reshape(1, -1, len(COLUMNS)))
    assert digest(DEPENDS_ON, [swapped]) != digest(DEPENDS_ON, [counts])


def test_which_cells_are_shown_changes_nothing(counts: Counts) -> None:
    again, _ = run_engine(replace(formula_case(), named=()))
    assert digest(DEPENDS_ON, [again]) == digest(DEPENDS_ON, [counts])


def test_the_order_of_keys_and_memory_changes_nothing(counts: Counts) -> None:
    turned = replace(counts, by_second_VSC=np.asfortranarray(counts.by_second_VSC))
    assert digest(dict(reversed(DEPENDS_ON.items())), [turned]) == digest(DEPENDS_ON, [counts])


def test_going_back_to_an_encoder_is_told_from_taking_it_up(counts: Counts) -> None:
    air_VGSQ = np.zeros((2, 1, 9, len(AIR_COLUMNS)), np.int64)
    air_VGSQ[0, 0, 5, TAKEN_UP] = air_VGSQ[1, 0, 5, LEFT] = 3
    before = digest(DEPENDS_ON, [replace(counts, air_VGSQ=air_VGSQ)])
    air_VGSQ[0, 0, 5, RETURNED] = 3
    assert digest(DEPENDS_ON, [replace(counts, air_VGSQ=air_VGSQ)]) != before
