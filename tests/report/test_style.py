"""The look of figures."""

from fleet_sim.engine.counts import DROP_REASONS
from fleet_sim.report.style import FATES


def test_every_reason_for_a_drop_has_a_colour_of_its_own() -> None:
    assert set(DROP_REASONS) <= set(FATES)
    assert len(set(FATES.values())) == len(FATES)
