"""From the `link:` part of a scenario to the whole numbers that the compiled step wants."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.network.capacity_spec import (
    LoraSpec,
    MarkovSpec,
    PiecewiseSpec,
    TokenBucketSpec,
    TraceSpec,
)
from fleet_sim.network.link import (
    AIRTIME,
    ALOHA,
    CERTAIN,
    CONSTANT,
    DROP_EXPIRED,
    DROP_HEAD,
    DROP_LATE,
    DROP_TAIL,
    FIFO,
    MARKOV,
    MAX_MIN,
    PROPORTIONAL,
    ROUND_ROBIN,
    SEGMENTS,
    TOKENS,
    WORK_A_BIT,
    Link,
)
from fleet_sim.network.lora import airtime_table, bit_rate_bps
from fleet_sim.network.loss_spec import BernoulliSpec, BlockFadingSpec, GilbertElliottSpec
from fleet_sim.network.markov import cumulative_thresholds, stationary
from fleet_sim.network.spec import LinkSpec
from fleet_sim.network.traces import read_trace

SHARING = {
    "dedicated": FIFO,  # a cell of one camera
    "fifo": FIFO,
    "round_robin": ROUND_ROBIN,
    "max_min": MAX_MIN,
    "proportional_fair": PROPORTIONAL,
    "aloha": ALOHA,
}
WHOLE = Fraction(1)
QUEUE = {"late": DROP_LATE, "tail": DROP_TAIL, "head": DROP_HEAD, "expired": DROP_EXPIRED}
LENGTH_BYTES = 2  # says how long each message of a shared packet is
_LARGEST_WORK = 1 << 60


def link_of(spec: LinkSpec, taken: float = 0) -> Link:
    """The constants of a link; a trace is read from its file. `taken`: share of the downlink kept for others.

    Raises UserError for a trace that cannot be read or that would carry too much at once.
    """
    capacity: dict[str, Any] = {**_NO_CAPACITY, **_capacity(spec)}
    fading_us, fading_ppm_S = _fading(spec)
    to_bad, to_good, loss_good, loss_bad = _loss(spec)
    outages = np.array([(o.from_us, o.to_us) for o in spec.outages], np.int64).reshape(-1, 2)
    feedback_bps = downlink_bps(spec, capacity["budget_bps"], 1 - Fraction(str(taken)))
    return Link(
        **capacity,
        sharing=SHARING[spec.sharing],
        channels=spec.channels,
        half_life_us=spec.half_life_us,
        fading_us=fading_us,
        fading_ppm_S=fading_ppm_S,
        propagation_us=spec.propagation_us,
        jitter_us=spec.jitter_us,
        header_bytes=spec.packet_header_bytes,
        fragment_bytes=spec.fragment_bytes,
        mtu_bytes=spec.mtu_bytes,
        aggregate=spec.aggregate,
        aggregate_wait_us=spec.aggregate_wait_us,
        length_bytes=LENGTH_BYTES if spec.aggregate > 1 else 0,
        buffer_bytes=spec.buffer_bytes,
        queue=QUEUE[spec.queue],
        to_bad=to_bad,
        to_good=to_good,
        loss_good=loss_good,
        loss_bad=loss_bad,
        retries=spec.retries,
        # The packet reaches the other side, and what tells of its loss comes back.
        retry_wait_us=2 * spec.propagation_us + -(-8 * spec.feedback_bytes * 1_000_000 // feedback_bps),
        backoff_us=spec.backoff_us,
        rest_ppm=round((1 / Fraction(spec.duty_cycle) - 1) * 1_000_000),
        outage_from_us_O=outages[:, 0].copy(),
        outage_to_us_O=outages[:, 1].copy(),
    )


def downlink_bps(spec: LinkSpec, budget_bps: int, share: Fraction = WHOLE) -> int:
    """A share of a cell's downlink, at least one bit a second."""
    return max(1, int((spec.downlink_bps or budget_bps) * share))


_NOTHING = np.zeros(0, np.int64)
_NO_CAPACITY = {
    "at_us_S": _NOTHING,
    "bps_S": _NOTHING,
    "burst_work_S": _NOTHING,
    "lap_us": 1,
    "offset_us": 1,
    "slot_us": 1,
    "next_SS": np.zeros((0, 0), np.int64),
    "first_S": _NOTHING,
    "token_bps": 1,
    "bucket_bits": 0,
    "airtime_us_B": _NOTHING,
}


def _capacity(spec: LinkSpec) -> dict[str, Any]:
    """The fields of a Link that say how much a cell carries."""
    capacity = spec.capacity
    if isinstance(capacity, TraceSpec):
        return _trace(capacity, spec.budget_bps)
    bps = spec.budget_bps or 0
    mean = {"bps": bps, "budget_bps": bps}
    if isinstance(capacity, PiecewiseSpec):
        at_us_S = np.array([step.at_us for step in capacity.steps], np.int64)
        weights = [Fraction(step.weight) for step in capacity.steps]
        spans_us = np.diff([*at_us_S.tolist(), capacity.repeat_us]).tolist()
        shares = [Fraction(span, capacity.repeat_us) for span in spans_us]
        rates_bps = _scaled(weights, shares, bps)
        return {
            **mean,
            "capacity": SEGMENTS,
            "at_us_S": at_us_S,
            "bps_S": rates_bps,
            "burst_work_S": np.zeros_like(at_us_S),
            "lap_us": capacity.repeat_us,
        }
    if isinstance(capacity, MarkovSpec):
        rows = capacity.rows()
        shares = stationary(rows)
        return {
            **mean,
            "capacity": MARKOV,
            "bps_S": _scaled([Fraction(w) for w in capacity.weights], shares, bps),
            "slot_us": capacity.slot_us,
            "next_SS": np.array([cumulative_thresholds(row) for row in rows], np.int64),
            "first_S": np.array(cumulative_thresholds(shares), np.int64),
        }
    if isinstance(capacity, TokenBucketSpec):
        bucket_bits = 8 * capacity.bucket_bytes
        return {
            **mean,
            "capacity": TOKENS,
            "bps": capacity.line_bps,
            "token_bps": bps,
            "bucket_bits": bucket_bits,
        }
    if isinstance(capacity, LoraSpec):
        settings = (capacity.spreading_factor, capacity.bandwidth_hz, capacity.coding_rate)
        bps = bit_rate_bps(*settings)
        return {
            "capacity": AIRTIME,
            "bps": bps,
            "budget_bps": bps * spec.channels,
            "airtime_us_B": airtime_table(*settings, capacity.preamble_symbols),
        }
    return {**mean, "capacity": CONSTANT, "bps": max(1, bps // spec.channels)}


def _scaled(weights: list[Fraction], shares: list[Fraction], mean_bps: int) -> np.ndarray:
    """(S,) int64: rates in proportion to `weights` whose mean, by shares of the time, is `mean_bps`."""
    mean = sum(w * share for w, share in zip(weights, shares, strict=True))
    rates = [round(w / mean * mean_bps) for w in weights]
    if max(rates) > _LARGEST_WORK:
        raise UserError(f"a rate of {max(rates)} bit/s is more than can be counted: weights too far apart")
    return np.array(rates, np.int64)


def _trace(spec: TraceSpec, budget_bps: int | None) -> dict[str, Any]:
    trace = read_trace(spec.path)
    spans_us = np.diff([*trace.at_us_S.tolist(), trace.lap_us]).tolist()
    work = [
        rate * span + burst * WORK_A_BIT
        for rate, span, burst in zip(
            trace.rate_bps_S.tolist(), spans_us, trace.burst_bits_S.tolist(), strict=True
        )
    ]
    measured = Fraction(sum(work), trace.lap_us)
    scale = Fraction(spec.scale) if budget_bps is None and spec.scale else (budget_bps or 0) / measured
    mean_bps = round(measured * scale)
    if mean_bps < 1:
        raise UserError(f"{spec.path}: times {spec.scale} it carries less than a bit a second")
    # Rounded from what has been carried so far, so that a lap carries exactly what it should.
    carried = [0, *np.cumsum(trace.burst_bits_S).tolist()]
    so_far = [bits * WORK_A_BIT * scale.numerator // scale.denominator for bits in carried]
    bursts = [after - before for before, after in pairwise(so_far)]
    rates = [
        (2 * rate * scale.numerator + scale.denominator) // (2 * scale.denominator)
        for rate in trace.rate_bps_S.tolist()
    ]
    if max(*bursts, *rates) > _LARGEST_WORK:
        raise UserError(f"{spec.path}: scaled to {mean_bps} bit/s it carries too much at once")
    return {
        "bps": mean_bps,
        "budget_bps": mean_bps,
        "capacity": SEGMENTS,
        "at_us_S": trace.at_us_S,
        "bps_S": np.array(rates, np.int64),
        "burst_work_S": np.array(bursts, np.int64),
        "lap_us": trace.lap_us,
        "offset_us": trace.lap_us if spec.offset == "cell" else 1,
    }


def _fading(spec: LinkSpec) -> tuple[int, np.ndarray]:
    fading = spec.fading
    if not isinstance(fading, BlockFadingSpec):
        return 0, _NOTHING
    weights = [Fraction(w) for w in fading.weights]
    shares = [Fraction(1, len(weights))] * len(weights)
    # No camera fades to nothing: its packet would never end.
    return fading.coherence_us, np.maximum(_scaled(weights, shares, 1_000_000), 1)


def _loss(spec: LinkSpec) -> tuple[int, int, int, int]:
    """Thresholds: to the bad state, to the good one, of a loss in the good one and in the bad one."""
    loss = spec.loss
    if isinstance(loss, BernoulliSpec):
        probabilities = (0.0, 0.0, loss.p, 0.0)
    elif isinstance(loss, GilbertElliottSpec):
        probabilities = (loss.p, loss.r, 1 - loss.k, 1 - loss.h)
    else:
        probabilities = (0.0, 0.0, 0.0, 0.0)
    to_bad, to_good, loss_good, loss_bad = (round(p * CERTAIN) for p in probabilities)
    return to_bad, to_good, loss_good, loss_bad
