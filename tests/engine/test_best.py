"""The oracle of a point, told every answer: no controller, in a cell or alone, gets more than it."""

from dataclasses import replace

import numpy as np
import pytest
from engine.fleets import Case, run_engine
from engine.formula import formula_case

from fleet_sim.control.controller import BUILT_IN
from fleet_sim.engine import counts as c
from fleet_sim.engine.best import SCALE, Knows, best_of
from fleet_sim.engine.groups import groups_of
from fleet_sim.network.link import DROP_EXPIRED


def one_version(cells: int, rates_ppm: tuple[int, int] = (1_000_000, 1_000_000)) -> Case:
    """The formula's first version and head, with two groups of cameras."""
    case = formula_case()
    groups = groups_of((0.5, 0.5), (333_333, 500_000), (1, 1), rates_ppm)
    link = case.fleet.link._replace(queue=DROP_EXPIRED, bps=5003 * 7 // cells, budget_bps=5003 * 7 // cells)
    return replace(
        case,
        fleet=case.fleet._replace(cells=cells, groups=groups, link=link),
        payload_bytes=case.payload_bytes[:1],
        millibits=case.millibits[:1],
        expected_bits=case.expected_bits[:1],
        version_from_us=(0,),
        right=case.right[:1, :1],
        head_from_us=(0,),
        heads=(0,),
    )


def told_everything(case: Case) -> Knows:
    right_FL = np.broadcast_to(case.right[0, 0], (4, 11)).T
    payload_FL = np.broadcast_to(case.payload_bytes[0], (11, 4))
    return Knows(payload_FL.copy(), (SCALE * right_FL).astype(np.int16), right_FL.copy())


@pytest.mark.parametrize(("cells", "kind"), [(7, "cell"), (40, "link")])
@pytest.mark.parametrize("rates_ppm", [(1_000_000, 1_000_000), (1_000_000, 400_000)])
def test_nobody_gets_more(cells: int, kind: str, rates_ppm: tuple[int, int]) -> None:
    case = one_version(cells, rates_ppm)
    best = best_of(case.fleet, told_everything(case))
    assert (best.kind, len(best.cells)) == (kind, cells)
    reached = {}
    for controller in ("budget", *sorted(BUILT_IN)):
        observes = controller != "budget"
        counts, _ = run_engine(
            replace(case, fleet=case.fleet._replace(observes=observes), controller=controller)
        )
        reached[controller] = counts.total_C[c.RIGHT_ON_TIME] / counts.total_C[c.OFFERED]
    assert max(reached.values()) <= best.worth + 1e-12
    assert best.on_time_accuracy <= best.worth + 1e-12  # a plan of whole levels is worth no more
    assert max(reached.values()) > 0.4 * best.worth  # the bound is not far off


def test_many_cells_are_asked_in_part() -> None:
    case = one_version(7)
    fleet = case.fleet._replace(cameras=4000, cells=2000, duration_us=200_000_000)
    best = best_of(fleet, told_everything(case))
    assert 100 < len(best.cells) < 250
    assert (best.cells[0], best.cells[-1]) == (0, 1999)
