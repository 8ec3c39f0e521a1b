"""A link that carries what it is given and nothing else, to change a field or two of with `_replace`."""

import numpy as np

from fleet_sim.network.link import CONSTANT, DROP_LATE, MAX_MIN, Link

HEADER_BYTES = 10
HORIZON_US = 10**15
NOTHING = np.zeros(0, np.int64)

PLAIN = Link(
    bps=8000,
    budget_bps=8000,
    capacity=CONSTANT,
    at_us_S=NOTHING,
    bps_S=NOTHING,
    burst_work_S=NOTHING,
    lap_us=1,
    offset_us=1,
    slot_us=1,
    next_SS=np.zeros((0, 0), np.int64),
    first_S=NOTHING,
    token_bps=1,
    bucket_bits=0,
    airtime_us_B=NOTHING,
    sharing=MAX_MIN,
    channels=1,
    half_life_us=1_000_000,
    fading_us=0,
    fading_ppm_S=NOTHING,
    propagation_us=0,
    jitter_us=0,
    header_bytes=HEADER_BYTES,
    fragment_bytes=2,
    mtu_bytes=1500,
    aggregate=1,
    aggregate_wait_us=0,
    length_bytes=0,
    buffer_bytes=10**6,
    queue=DROP_LATE,
    to_bad=0,
    to_good=0,
    loss_good=0,
    loss_bad=0,
    retries=0,
    retry_wait_us=0,
    backoff_us=0,
    rest_ppm=0,
    outage_from_us_O=NOTHING,
    outage_to_us_O=NOTHING,
)
