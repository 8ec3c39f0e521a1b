"""From a scenario's servers to the rules by which their replicas work."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from fleet_sim.engine.answers import Batching
from fleet_sim.scenario import Scenario
from fleet_sim.serving.replicas import FIXED, KEEP, LATE, PREDICTED, QUEUE, UTILISATION, Rules
from fleet_sim.serving.spec import FailureSpec, QueueSpec, Scaling, ServingSpec, UtilisationSpec

NO_LIMIT = 2**31 - 1
_SHED = {"none": KEEP, "late": LATE, "predicted": PREDICTED}
_PLAIN = ("replicas", "shed", "queue_limit", "autoscale", "failures", "resident", "priority")


def pools_of(point: Scenario, batching: Batching) -> tuple[Rules, ...]:
    """Rules of every server; none where each is a single replica that does nothing but batches.

    Which head is in force is left open.
    """
    serving, plain = point.serving, ServingSpec()
    if all(getattr(serving, name) == getattr(plain, name) for name in _PLAIN):
        return ()
    scaling, target = FIXED, 1
    if isinstance(serving.autoscale, UtilisationSpec):
        scaling, target = UTILISATION, ceil(serving.autoscale.target * 1_000_000)
    elif isinstance(serving.autoscale, QueueSpec):
        scaling, target = QUEUE, serving.autoscale.target_frames
    scaled = serving.autoscale if isinstance(serving.autoscale, Scaling) else None
    nothing = np.zeros(0, np.int64)
    common = Rules(
        seed=point.seed,
        end_us=point.duration_us,
        max_wait_us=batching.max_wait_us,
        service_us_HN=batching.service_us_HN,
        head_from_us_W=nothing,
        head_W=nothing,
        class_G=_classes(point),
        replicas=serving.replicas,
        hashed=serving.routing == "hash",
        shed=_SHED[serving.shed],
        queue_limit=NO_LIMIT if serving.queue_limit is None else serving.queue_limit,
        scaling=scaling,
        least=scaled.least if scaled else serving.replicas,
        most=scaled.most if scaled else serving.replicas,
        target=target,
        startup_us=scaled.startup_us if scaled else 0,
        period_us=point.control.period_us,
        resident=serving.resident or 0,
        load_us=serving.load_us,
        standby=serving.standby,
        failure_us_X=nothing,
        failure_replica_X=nothing,
        failure_change_X=nothing,
    )
    return tuple(
        _with_failures(common, [f for f in serving.failures if f.server == server])
        for server in range(serving.servers)
    )


def _classes(point: Scenario) -> np.ndarray:
    """The class of each group of cameras: 0 for the most important, alike where that has no say."""
    importance = [group.importance for group in point.fleet.groups]
    if point.serving.priority == "none" or not importance:
        return np.zeros(1, np.int64)
    return np.array([sorted(set(importance), reverse=True).index(i) for i in importance], np.int64)


def _with_failures(rules: Rules, failures: Sequence[FailureSpec]) -> Rules:
    changes = [(f.from_us, 1, f.replica) for f in failures] + [(f.to_us, -1, f.replica) for f in failures]
    us_X, change_X, replica_X = np.array(sorted(changes), np.int64).reshape(-1, 3).T.copy()
    return rules._replace(failure_us_X=us_X, failure_change_X=change_X, failure_replica_X=replica_X)
