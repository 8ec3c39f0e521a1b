"""Dynamic batching as one would tell it: at every moment, would the server start now?"""


def batches(
    arrive_us: list[int], batch: int, max_wait_us: int, batch_us: int, frame_us: int
) -> list[tuple[int, int]]:
    """(start, done) of every frame, given all arrivals in order; the server is free from time 0."""
    free_us = 0
    waiting, served = list(arrive_us), []
    while waiting:
        oldest_us = waiting[0]
        moments = sorted(t for t in {free_us, oldest_us + max_wait_us, *waiting} if t >= free_us)
        start_us = next(
            t
            for t in moments
            if sum(arrived <= t for arrived in waiting) >= batch or t >= oldest_us + max_wait_us
        )
        taken = [arrived for arrived in waiting if arrived <= start_us][:batch]
        waiting = waiting[len(taken) :]
        free_us = start_us + batch_us + frame_us * len(taken)
        served += [(start_us, free_us)] * len(taken)
    return served
