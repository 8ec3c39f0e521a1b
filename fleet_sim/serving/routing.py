"""Which replica a frame goes to, and whether it is let in."""

from fleet_sim.basics.compiled import bare, inlined
from fleet_sim.basics.hashing import STREAM_ROUTE, draw
from fleet_sim.serving.replicas import LATER, NONE, PREDICTED, SHED, append, take_last


@inlined()
def is_up(replica, now_us):
    """Whether a replica gets frames."""
    return replica.failed == 0 and replica.up_us <= now_us


@bare()
def route(pool, rules, camera, now_us):
    """The replica for a frame of this camera, NONE where none is up.

    Hashed: that of the highest draw (rendezvous hashing, Thaler and Ravishankar 1998), so that only cameras
    of a replica that comes or goes move. Else the one with fewest frames, waiting or in service; of equal
    ones the first.
    """
    best, best_draw, best_load = NONE, draw(rules.seed, STREAM_ROUTE, camera, 0), LATER
    for r in range(pool.replicas.shape[0]):
        replica = pool.replicas[r]
        if not is_up(replica, now_us):
            continue
        if rules.hashed:
            luck = draw(rules.seed, STREAM_ROUTE, camera, r)
            if best == NONE or luck > best_draw:
                best, best_draw = r, luck
        elif replica.waiting + replica.serving < best_load:
            best, best_load = r, replica.waiting + replica.serving
    return best


@inlined()
def head_at(rules, now_us):
    """The head in force; one on standby is first loaded, from the time of its switch on."""
    switch, ready_us = 0, now_us - rules.load_us if rules.standby else now_us
    while switch + 1 < rules.head_W.shape[0] and rules.head_from_us_W[switch + 1] <= ready_us:
        switch += 1
    return rules.head_W[switch]


@inlined()
def plan_start(pool, rules, frames, r, now_us):
    """Note when the replica's next batch starts as things are: full, or its oldest has waited long enough."""
    replica = pool.replicas[r]
    replica.start_us = LATER
    if replica.serving > 0 or replica.waiting == 0:
        return
    if replica.waiting >= rules.service_us_HN.shape[1] - 1:
        replica.start_us = now_us
        return
    for place in range(pool.queues.shape[1]):
        oldest = pool.queues[r, place].first
        if oldest != NONE:
            replica.start_us = min(replica.start_us, frames.queued_us[oldest] + rules.max_wait_us)
    replica.start_us = max(replica.start_us, now_us)


@inlined()
def line_up(pool, rules, frames, r, frame, now_us):
    """Put a frame into a replica's queue."""
    frames.queued_us[frame] = now_us
    append(pool.queues, frames.link, r, frames.priority[frame], frame)
    pool.replicas[r].waiting += 1
    plan_start(pool, rules, frames, r, now_us)


@inlined()
def answered_at(pool, rules, r, priority, now_us):
    """When a frame that comes now would be answered if full batches went before it."""
    batch, head = rules.service_us_HN.shape[1] - 1, head_at(rules, now_us)
    ahead = 0
    for place in range(priority + 1):
        ahead += pool.queues[r, place].length
    begin_us = max(now_us, pool.replicas[r].free_us) + ahead // batch * rules.service_us_HN[head, batch]
    return begin_us + rules.service_us_HN[head, ahead % batch + 1]


@bare()
def admit(pool, rules, frames, frame, now_us):
    """A frame has arrived: give it to a replica or shed it; the replica, NONE where none gets it.

    Where the replica's queue is full, the newest of the least important frames is shed, be it this one.
    """
    r = route(pool, rules, frames.camera[frame], now_us)
    if r == NONE:
        append(pool.queues, frames.link, pool.replicas.shape[0], 0, frame)
        return r
    priority, gives_way = frames.priority[frame], NONE
    if rules.shed == PREDICTED and answered_at(pool, rules, r, priority, now_us) > frames.expiry_us[frame]:
        gives_way = frame
    elif pool.replicas[r].waiting >= rules.queue_limit:
        place = pool.queues.shape[1] - 1
        while place > priority and pool.queues[r, place].length == 0:
            place -= 1
        gives_way = take_last(pool.queues, frames.link, r, place) if place > priority else frame
    if gives_way != NONE:
        frames.head[gives_way], frames.ended_us[gives_way] = SHED, now_us
        if gives_way == frame:
            return NONE
        pool.replicas[r].waiting -= 1
    line_up(pool, rules, frames, r, frame, now_us)
    return r
