"""Replicas behind one server, exact to the microsecond, event by event.

Each replica gathers batches from its own queue by the rule of `batching`. Of what happens in one microsecond,
batches end first; then failures end, failures begin, and the number of replicas is set; then frames arrive;
then batches start, replica by replica. Every event leaves the state complete, so a run may be cut anywhere.
"""

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.serving.changes import count_ready, fail, rescue, scale
from fleet_sim.serving.replicas import (
    BATCHES,
    BUSY_US,
    FRAMES,
    KEEP,
    LATER,
    NONE,
    READY_US,
    SHED,
    WAIT_US,
    append,
    take_first,
)
from fleet_sim.serving.routing import admit, head_at, plan_start


@bare()
def run_pool(pool, rules, frames, coming, until_us):
    """Take every event before `until_us`; `coming` is the place of the first frame yet to arrive.

    All frames that arrive before `until_us` must be in `frames`. Returns the place of the first that has not.
    """
    while True:
        change_us, start_us = _next_times(pool, rules)
        arrive_us = frames.arrive_us[coming] if coming < frames.arrive_us.shape[0] else LATER
        now_us = min(change_us, start_us, arrive_us)
        if now_us >= until_us:
            break
        _pass_time(pool, now_us)
        if change_us == now_us:
            _change(pool, rules, frames, now_us)
        elif arrive_us == now_us:
            before_us = min(change_us, until_us)
            while arrive_us < before_us and arrive_us <= start_us:
                r = admit(pool, rules, frames, coming, arrive_us)
                if r != NONE:
                    start_us = min(start_us, pool.replicas[r].start_us)
                coming += 1
                arrive_us = frames.arrive_us[coming] if coming < frames.arrive_us.shape[0] else LATER
        else:
            r = 0
            while pool.replicas[r].start_us != now_us:
                r += 1
            _start(pool, rules, frames, r, now_us)
    if until_us >= rules.end_us:
        _pass_time(pool, rules.end_us)
    return coming


@inlined()
def _next_times(pool, rules):
    """When the next batch ends or replica changes, and when the next batch starts."""
    clock = pool.clock[0]
    change_us, start_us = clock.scale_us, LATER
    if clock.next_failure < rules.failure_us_X.shape[0]:
        change_us = min(change_us, rules.failure_us_X[clock.next_failure])
    for r in range(pool.replicas.shape[0]):
        replica = pool.replicas[r]
        start_us = min(start_us, replica.start_us)
        if replica.serving > 0:
            change_us = min(change_us, replica.free_us)
        if replica.up_us > clock.now_us:
            change_us = min(change_us, replica.up_us)
    return change_us, start_us


@inlined()
def _pass_time(pool, now_us):
    clock = pool.clock[0]
    pool.work_Q[READY_US] += clock.ready * (now_us - clock.now_us)
    clock.now_us = now_us


@bare()
def _change(pool, rules, frames, now_us):
    clock = pool.clock[0]
    for r in range(pool.replicas.shape[0]):
        if pool.replicas[r].serving > 0 and pool.replicas[r].free_us == now_us:
            _end(pool, rules, frames, r, now_us)
    while (
        clock.next_failure < rules.failure_us_X.shape[0] and rules.failure_us_X[clock.next_failure] == now_us
    ):
        r = rules.failure_replica_X[clock.next_failure]
        if rules.failure_change_X[clock.next_failure] > 0:
            fail(pool, rules, frames, r, now_us)
        else:
            pool.replicas[r].failed -= 1
        clock.next_failure += 1
    if clock.scale_us == now_us:
        scale(pool, rules, now_us)
    rescue(pool, rules, frames, now_us)
    count_ready(pool, now_us)


@inlined()
def _end(pool, rules, frames, r, now_us):
    """A batch is done: its frames are answered."""
    replica = pool.replicas[r]
    frame = replica.batch
    while frame != NONE:
        frames.head[frame], frames.ended_us[frame] = replica.head, now_us
        frame = frames.link[frame]
    replica.batch, replica.serving = NONE, 0
    plan_start(pool, rules, frames, r, now_us)


@bare()
def _start(pool, rules, frames, r, now_us):
    """Start a batch of the frames that are there: class by class, oldest first.

    Where late ones are shed, those that a batch of all of them would answer too late are left out; nothing
    starts if no other is there.
    """
    replica, head = pool.replicas[r], head_at(rules, now_us)
    batch = rules.service_us_HN.shape[1] - 1
    done_us = now_us + rules.service_us_HN[head, min(replica.waiting, batch)]
    taken, loads, last = 0, 0, NONE
    stood_by = rules.standby and pool.resident_RK[r, 0] != NONE and replica.head != head
    for place in range(pool.queues.shape[1]):
        while taken < batch and pool.queues[r, place].first != NONE:
            frame = take_first(pool.queues, frames.link, r, place)
            replica.waiting -= 1
            if rules.shed != KEEP and frames.expiry_us[frame] < done_us:
                frames.head[frame], frames.ended_us[frame] = SHED, now_us
                continue
            frames.link[frame] = NONE
            if last == NONE:
                replica.batch = frame
            else:
                frames.link[last] = frame
            last = frame
            taken += 1
            loads += _load(pool, r, frames.version[frame] * rules.service_us_HN.shape[0] + head)
            pool.work_Q[WAIT_US] += now_us - frames.arrive_us[frame]
    if taken > 0:
        service_us = rules.service_us_HN[head, taken] + (0 if stood_by else loads * rules.load_us)
        replica.serving, replica.head, replica.free_us = taken, head, now_us + service_us
        pool.clock[0].busy_us += service_us
        pool.work_Q[BATCHES] += 1
        pool.work_Q[FRAMES] += taken
        pool.work_Q[BUSY_US] += min(replica.free_us, rules.end_us) - now_us
    else:
        count_ready(pool, now_us)
    plan_start(pool, rules, frames, r, now_us)


@inlined()
def _load(pool, r, decoder):
    """1 if the replica had to load this decoder, in place of the one used longest ago."""
    held = pool.resident_RK.shape[1]
    place = 0
    while place < held and pool.resident_RK[r, place] != decoder:
        place += 1
    missing = 1 if held > 0 and place == held else 0
    place = min(place, held - 1)
    while place > 0:
        pool.resident_RK[r, place] = pool.resident_RK[r, place - 1]
        place -= 1
    if held > 0:
        pool.resident_RK[r, 0] = decoder
    return missing


@bare()
def held_frames(pool, frames, kept_M, replica_M, serving_M):
    """Write down the frames that the pool holds so that `hold_again` can put them back; how many."""
    count, stranded = 0, pool.replicas.shape[0]
    for r in range(stranded + 1):
        frame = pool.replicas[r].batch if r < stranded else NONE
        while frame != NONE:
            kept_M[count], replica_M[count], serving_M[count] = frame, r, True
            count += 1
            frame = frames.link[frame]
        for place in range(pool.queues.shape[1]):
            frame = pool.queues[r, place].first
            while frame != NONE:
                kept_M[count], replica_M[count], serving_M[count] = frame, r, False
                count += 1
                frame = frames.link[frame]
    return count


@bare()
def hold_again(pool, frames, replica_K, serving_K):
    """Link the K first frames as they were when `held_frames` wrote them down."""
    stranded, last = pool.replicas.shape[0], NONE
    for r in range(stranded + 1):
        for place in range(pool.queues.shape[1]):
            ends = pool.queues[r, place]
            ends.first = ends.last = NONE
            ends.length = 0
    for frame in range(replica_K.shape[0]):
        r = replica_K[frame]
        if not serving_K[frame]:
            append(pool.queues, frames.link, r, frames.priority[frame] if r < stranded else 0, frame)
            continue
        frames.link[frame] = NONE
        if frame > 0 and serving_K[frame - 1] and replica_K[frame - 1] == r:
            frames.link[last] = frame
        else:
            pool.replicas[r].batch = frame
        last = frame
