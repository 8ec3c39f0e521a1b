"""What changes in a pool beside arrivals and batches: failures, and how many replicas there are."""

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.serving.replicas import (
    BUSY_US,
    LATER,
    NONE,
    REDONE,
    UTILISATION,
    append,
    take_first,
)
from fleet_sim.serving.routing import is_up, line_up, route

MILLION = 1_000_000


@inlined()
def holds_frames(replica):
    """Whether a replica has any frame."""
    return replica.waiting + replica.serving > 0


@bare()
def fail(pool, rules, frames, r, now_us):
    """A replica fails: what it has done of its batch is lost, and all its frames need another."""
    replica, clock, stranded = pool.replicas[r], pool.clock[0], pool.replicas.shape[0]
    replica.failed += 1
    if replica.serving > 0:
        clock.busy_us -= replica.free_us - now_us
        pool.work_Q[BUSY_US] -= min(replica.free_us, rules.end_us) - now_us
        pool.work_Q[REDONE] += replica.serving
        frame = replica.batch
        while frame != NONE:
            following = frames.link[frame]
            append(pool.queues, frames.link, stranded, 0, frame)
            frame = following
    for place in range(pool.queues.shape[1]):
        frame = take_first(pool.queues, frames.link, r, place)
        while frame != NONE:
            append(pool.queues, frames.link, stranded, 0, frame)
            frame = take_first(pool.queues, frames.link, r, place)
    replica.waiting = replica.serving = 0
    replica.batch = NONE
    replica.free_us = now_us
    replica.start_us = LATER
    _unload(pool, r)


@bare()
def rescue(pool, rules, frames, now_us):
    """Give what no replica has to those that are up, as if it came now."""
    stranded = pool.replicas.shape[0]
    frame = pool.queues[stranded, 0].first
    while frame != NONE:
        r = route(pool, rules, frames.camera[frame], now_us)
        if r == NONE:
            return
        take_first(pool.queues, frames.link, stranded, 0)
        line_up(pool, rules, frames, r, frame, now_us)
        frame = pool.queues[stranded, 0].first


@bare()
def scale(pool, rules, now_us):
    """Set how many replicas there are, from what they did in the period now over or from what waits.

    By utilisation as Kubernetes' horizontal autoscaler: as many as would have been busy for the share wanted.
    Up at once, though a replica takes its time to start; down by one a period, and that one ends its queue.
    """
    clock = pool.clock[0]
    clock.scale_us += rules.period_us
    done_us, waiting = clock.busy_us, pool.queues[pool.replicas.shape[0], 0].length
    for r in range(pool.replicas.shape[0]):
        waiting += pool.replicas[r].waiting
        if pool.replicas[r].serving > 0:
            done_us -= pool.replicas[r].free_us - now_us
    if rules.scaling == UTILISATION:
        amount, a_replica = (done_us - clock.busy_seen_us) * MILLION, rules.period_us * rules.target
    else:
        amount, a_replica = waiting, rules.target
    clock.busy_seen_us = done_us
    wanted = min(max((amount + a_replica - 1) // a_replica, rules.least), rules.most)
    for r in range(clock.wanted, wanted):
        replica = pool.replicas[r]
        if holds_frames(replica):
            replica.up_us = now_us
        else:
            replica.up_us = now_us + rules.startup_us
            _unload(pool, r)
    if wanted < clock.wanted:
        wanted = clock.wanted - 1
        pool.replicas[wanted].up_us = LATER
    clock.wanted = wanted


@inlined()
def count_ready(pool, now_us):
    """Note how many replicas could work: those that are up, and those that end their queue."""
    clock = pool.clock[0]
    clock.ready = 0
    for r in range(pool.replicas.shape[0]):
        if is_up(pool.replicas[r], now_us) or holds_frames(pool.replicas[r]):
            clock.ready += 1


@inlined()
def _unload(pool, r):
    for place in range(pool.resident_RK.shape[1]):
        pool.resident_RK[r, place] = NONE
