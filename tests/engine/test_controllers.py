"""Controllers in the step: cuts change nothing, the future is not seen, skipped frames are counted."""

from dataclasses import replace

import numpy as np
import pytest
from engine.fleets import Case, Cells, nothing_counted, run_engine
from engine.formula import formula_case

from fleet_sim.control.controller import BUILT_IN
from fleet_sim.engine import counts as c
from fleet_sim.engine.digest import digest
from fleet_sim.engine.sent import Sent
from fleet_sim.network import link as n

NOW_US = 5_000_000


def observed(controller: str, queue: int = n.DROP_EXPIRED, after_bps: int = 5003) -> Case:
    """The formula's fleet with a controller, and a rate that is its own from NOW_US on."""
    case = formula_case()
    link = case.fleet.link._replace(
        queue=queue,
        capacity=n.SEGMENTS,
        at_us_S=np.array([0, 2_000_000, NOW_US], np.int64),
        bps_S=np.array([5003, 2500, after_bps], np.int64),
        burst_work_S=np.zeros(3, np.int64),
        lap_us=10**9,
    )
    return replace(case, fleet=case.fleet._replace(observes=True, link=link), controller=controller)


@pytest.mark.parametrize("controller", sorted(BUILT_IN))
def test_steps_and_shards_change_nothing(controller: str) -> None:
    whole, _ = run_engine(observed(controller))
    cut, _ = run_engine(observed(controller), range(77_777, 8_500_000, 77_777), shards=5)
    assert digest({}, [whole]) == digest({}, [cut])
    whole.check_conservation()
    assert whole.total_C[c.ANSWERED] > 0


@pytest.mark.parametrize("controller", sorted(BUILT_IN))
@pytest.mark.parametrize("queue", [n.DROP_EXPIRED, n.DROP_TAIL, n.DROP_HEAD])
def test_decisions_until_now_do_not_depend_on_what_the_link_does_later(controller: str, queue: int) -> None:
    before = [until_now(observed(controller, queue, after_bps)) for after_bps in (5003, 300, 50_000)]
    for other in before[1:]:
        for one, same in zip(before[0], other, strict=True):
            np.testing.assert_array_equal(one, same)
    assert before[0][0].shape[1] > 100
    later = [run_engine(observed(controller, queue, after_bps))[0] for after_bps in (300, 50_000)]
    assert digest({}, later[:1]) != digest({}, later[1:])


def until_now(case: Case) -> tuple[np.ndarray, ...]:
    """All that cameras decided and know before NOW_US: messages sent and held, skips, and minds."""
    cells = np.arange(case.fleet.cells)
    counts = nothing_counted(case)
    shard = Cells(case, cells, counts)
    sent = Sent(*(np.concatenate(columns) for columns in zip(*shard.move(NOW_US), strict=True)))
    held = shard.pool.messages[["row", "frame", "level", "bytes"]][shard.pool.messages["capture_us"] > 0]
    return (
        np.stack([sent.camera, sent.frame, sent.level.astype(np.int32)]),
        np.array(held.tolist()),
        shard.cameras.minds["notes"],
        counts.by_second_VSC,
    )


def test_frames_not_sent_are_counted() -> None:
    counts, _ = run_engine(observed("drop"))
    total_C = counts.total_C
    assert 0 < total_C[c.DROPPED_SKIPPED] < total_C[c.OFFERED]
    assert total_C[c.LEVEL_SUM] == 3 * total_C[c.SENT]  # those that are sent go whole
    counts.check_conservation()
