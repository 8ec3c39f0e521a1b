"""BOLA: the level by the buffer alone, without any estimate of the link.

K. Spiteri, R. Urgaonkar, R. Sitaraman, "BOLA: near-optimal bitrate adaptation for online videos", INFOCOM
2016. A player's buffer is time in hand; a camera's is the time until this frame's deadline that its own queue
has not used up, in frame periods.
"""

import math

GAMMA_P = 5.0  # the paper's gamma p: what a full buffer is worth beside the utility of a level


def buffer(o, mind):
    """The level of greatest (V (utility + gamma p) - buffer) per bit; utility is ln(bits / least bits)."""
    capacity = o.left_us / o.frame_period_us
    in_hand = capacity - o.waiting_frames - (1 if o.air_bits > 0 else 0)
    utility = math.log(o.expected_bits[o.levels - 1] / o.expected_bits[0])
    trade_off = max(capacity - 1.0, 0.5) / (utility + GAMMA_P)
    best, best_score = 0, -math.inf
    for k in range(o.levels):
        utility = math.log(o.expected_bits[k] / o.expected_bits[0])
        score = (trade_off * (utility + GAMMA_P) - in_hand) / o.expected_bits[k]
        if score >= best_score:
            best, best_score = k, score
    return best
