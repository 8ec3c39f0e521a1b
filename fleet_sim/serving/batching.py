"""Dynamic batching on one server, exact to the microsecond.

A server starts a batch as soon as it is free and `batch` frames wait or the oldest has waited `max_wait_us`
since its arrival. The batch takes the frames present at its start, oldest first.
"""

from fleet_sim.basics.compiled import compiled
from fleet_sim.serving.replicas import BATCHES, BUSY_US, FRAMES, LATER, WAIT_US


@compiled()
def run_batches(
    arrive_us_M,
    free_us,
    until_us,
    max_wait_us,
    service_us_HN,
    head_from_us_W,
    head_W,
    end_us,
    start_us_M,
    done_us_M,
    work_Q,
):
    """Start every batch that begins before `until_us`; all arrivals before `until_us` must be present.

    arrive_us_M: rising arrival times. service_us_HN: how long head h takes for n frames; the last n is the
    largest batch. head_from_us_W and head_W: the head in force from when. start_us_M and done_us_M are filled
    for the frames in started batches; their work is added to work_Q (`replicas.WORK`), as far as it is done
    by `end_us`, the end of the run. Returns (number of frames taken, time from which the server is free).
    """
    batch = service_us_HN.shape[1] - 1
    switch = taken = 0
    frames = arrive_us_M.shape[0]
    while taken < frames:
        full_us = arrive_us_M[taken + batch - 1] if taken + batch <= frames else LATER
        start_us = max(free_us, min(full_us, arrive_us_M[taken] + max_wait_us))
        if start_us >= until_us:
            break
        last = taken
        while last < frames and last - taken < batch and arrive_us_M[last] <= start_us:
            work_Q[WAIT_US] += start_us - arrive_us_M[last]
            last += 1
        while switch + 1 < head_W.shape[0] and head_from_us_W[switch + 1] <= start_us:
            switch += 1
        free_us = start_us + service_us_HN[head_W[switch], last - taken]
        work_Q[BATCHES] += 1
        work_Q[FRAMES] += last - taken
        work_Q[BUSY_US] += min(free_us, end_us) - start_us
        start_us_M[taken:last] = start_us
        done_us_M[taken:last] = free_us
        taken = last
    return taken, free_us
