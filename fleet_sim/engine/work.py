"""What servers did at one sweep point, as the figures a reader wants."""

from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.engine.figures import Row, ratio
from fleet_sim.engine.fleet import Fleet
from fleet_sim.serving.replicas import WORK


def serving_figures(counts: Counts, fleet: Fleet) -> Row:
    """Rates are frames a second of virtual time, over the whole run.

    Goodput counts frames answered rightly within the deadline. Utilisation is busy time over the time in
    which replicas could work; a batch still in service at the end counts as far as it is done.
    """
    total = {name: int(value) for name, value in zip(COLUMNS, counts.total_C, strict=True)}
    work = dict(zip(WORK, counts.work_PQ.sum(axis=0).tolist(), strict=True))
    seconds = fleet.duration_us / 1_000_000
    return {
        "offered_per_s": ratio(total["offered"], seconds),
        "goodput_per_s": ratio(total["right_on_time"], seconds),
        "on_time_per_s": ratio(total["on_time"], seconds),
        "utilisation": ratio(work["busy_us"], work["ready_us"]),
        "replicas": ratio(work["ready_us"], fleet.duration_us * len(counts.work_PQ)),
        "batch_mean": ratio(work["frames"], work["batches"]),
        "queue_wait_ms": ratio(work["wait_us"], 1000 * work["frames"]),
        "frames_redone": work["redone"],
    }
