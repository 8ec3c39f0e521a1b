"""What is scheduled has to come before the run is over."""

from typing import TYPE_CHECKING

from fleet_sim.basics.spec import misfit
from fleet_sim.scenario.rollout import LabelsGuardSpec

if TYPE_CHECKING:
    from fleet_sim.scenario.scenario import Scenario

SECOND_US = 1_000_000


def refuse_what_comes_too_late(scenario: "Scenario") -> None:
    """Raise a misfit where a version, a head, or the first label of any release comes after the run's end."""
    control, train, rollout = scenario.control, scenario.train, scenario.rollout
    heads = {f"train.retrain.{i}": retrain.at_us for i, retrain in enumerate(train.retrain)}
    heads |= {f"serving.switches.{i}": switch.at_us for i, switch in enumerate(scenario.serving.switches)}
    updates = {f"train.updates.{i}": update.at_us for i, update in enumerate(train.updates)}

    def check(at_us: int, late: str, *fields: str) -> None:
        if control.boundary_us(at_us) >= scenario.duration_us:
            raise misfit(f"the run is over before {late}", *fields, "duration_us", "control.period_us")

    for place, publish_us in updates.items():
        check(publish_us, "the fleet could take this version up", f"{place}.at_us")
    for place, at_us in heads.items():
        if at_us is not None:
            check(at_us, "this head could answer", f"{place}.at_us")
    if rollout is not None and isinstance(rollout.guard, LabelsGuardSpec):
        after_alarm_us = [retrain.after_alarm_us for retrain in train.retrain]
        known_us = [
            at_us for at_us in (*updates.values(), *heads.values(), *after_alarm_us) if at_us is not None
        ]
        first_s = -(-control.boundary_us(min(known_us)) // SECOND_US)  # the first whole second of a release
        labelled_us = (first_s + 1) * SECOND_US + rollout.guard.delay_us
        check(labelled_us, "the guard could hear of a label", "rollout.guard.delay_us")
