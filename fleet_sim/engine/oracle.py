"""The best that a camera alone on its link could have done, had it known all that the link would do.

The oracle knows the capacity of the link at every moment of the run, when each frame comes, what each takes
at every level, and what each is worth there: how likely it is answered right. It does not know which answers
will be right. Of all ways to give each frame a level or to skip it, sent in order, it finds one whose frames
that are through by their expiry are worth most together. Frames that come late are worth nothing, so it
sends none.

It is a dynamic programme over frames. A state is when the link is free and what was gained so far; one that
is free no sooner than another and gained no more is left out, since an earlier start never ends later. Worth
is in whole ten-thousandths, the buffer without limit: so no controller on that link gains more.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import compiled
from fleet_sim.control.observation import SKIP
from fleet_sim.network.capacity import end_of_work, first_state
from fleet_sim.network.link import MARKOV, WORK_A_BIT, Link

_END, _SPARE, _SLOT, _STATE, _GAIN, _PARENT, _LEVEL = range(7)


class Plan(NamedTuple):
    """What the oracle does."""

    level_F: np.ndarray  # of each frame, SKIP where it is not sent
    worth: int  # ten-thousandths, of all frames together


def best_plan(
    link: Link,
    seed: int,
    cell: int,
    ready_us_F: np.ndarray,
    expiry_us_F: np.ndarray,
    bits_FL: np.ndarray,
    worth_FL: np.ndarray,
) -> Plan:
    """The oracle's plan for F frames of one camera, the link's only one.

    ready_us_F: when each message is ready, rising; expiry_us_F: when its last bit must be through; bits_FL
    with all headers; worth_FL: whole ten-thousandths. The link neither loses, fades nor rests, and has no
    outages.
    """
    first = np.zeros((1, 7), np.int64)
    first[0, _END] = -1
    if link.capacity == MARKOV:
        first[0, _STATE] = first_state(link, seed, cell)
    frontiers = [first]
    for ready_us, expiry_us, bits_L, worth_L in zip(
        ready_us_F.tolist(), expiry_us_F.tolist(), bits_FL, worth_FL, strict=True
    ):
        frontiers.append(_extended(frontiers[-1], link, seed, cell, ready_us, expiry_us, bits_L, worth_L))
    place, level_F = len(frontiers[-1]) - 1, np.empty(len(ready_us_F), np.int64)
    for frame in range(len(level_F) - 1, -1, -1):
        state = frontiers[frame + 1][place]
        level_F[frame], place = state[_LEVEL], state[_PARENT]
    return Plan(level_F, int(frontiers[-1][-1, _GAIN]))


@compiled()
def _extended(before_N7, link, seed, cell, ready_us, expiry_us, bits_L, worth_L):
    """The states after one more frame: free ever later, with ever more gained."""
    # Of states in which the link is free by now only the last matters: it gained most.
    from_place = 0
    while from_place + 1 < before_N7.shape[0] and before_N7[from_place + 1, _END] < ready_us:
        from_place += 1
    before_n7 = before_N7[from_place:]
    count = 0
    found_M7 = np.empty((before_n7.shape[0] * (1 + bits_L.shape[0]), 7), np.int64)
    for place in range(before_n7.shape[0]):
        state = before_n7[place]
        found_M7[count] = state
        found_M7[count, _PARENT] = from_place + place
        found_M7[count, _LEVEL] = SKIP
        count += 1
        begin_us = max(ready_us, state[_END])
        spare = state[_SPARE] if begin_us == state[_END] else np.int64(0)
        for level in range(bits_L.shape[0]):
            if worth_L[level] <= 0:
                continue
            work = bits_L[level] * WORK_A_BIT
            end_us, left, slot, chain = end_of_work(
                link, seed, cell, state[_SLOT], state[_STATE], begin_us, spare, work, expiry_us + 1
            )
            if end_us <= expiry_us:
                found = found_M7[count]
                found[_END], found[_SPARE], found[_SLOT], found[_STATE] = end_us, left, slot, chain
                found[_GAIN] = state[_GAIN] + worth_L[level]
                found[_PARENT], found[_LEVEL] = from_place + place, level
                count += 1
    found_M7 = found_M7[:count]
    order_M = np.argsort(found_M7[:, _END], kind="mergesort")
    kept = 0
    kept_M7 = np.empty_like(found_M7)
    for m in range(count):
        found = found_M7[order_M[m]]
        if kept > 0 and found[_GAIN] <= kept_M7[kept - 1, _GAIN]:
            continue
        # One that ends at the same time with less gained was put there before.
        if kept > 0 and found[_END] == kept_M7[kept - 1, _END]:
            kept -= 1
        kept_M7[kept] = found
        kept += 1
    return kept_M7[:kept].copy()
