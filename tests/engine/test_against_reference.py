"""The compiled step and servers do exactly what an event-by-event reference does."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from engine.fleets import Case, link, nothing_counted, periodic, run_engine
from engine.reference import Reference, group_of
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.control.controller import BUILT_IN
from fleet_sim.engine.captures import BURSTS, PERIODIC, POISSON
from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.engine.groups import ALIKE, Groups, groups_of
from fleet_sim.engine.views import Stage, Views, views_of
from fleet_sim.network import link as n
from fleet_sim.network.link import CERTAIN, WORK_A_BIT, Link

MICROSECONDS, MILLISECONDS = 1, 50_000
"""In the first scale frames come every few microseconds, so that nearly everything happens at once."""

thresholds = st.sampled_from([CERTAIN // 4, CERTAIN // 2, CERTAIN // 20, CERTAIN])


def array(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


@st.composite
def capacities(draw: st.DrawFn, scale: int, bps: int, largest_bytes: int) -> dict[str, Any]:
    """How much a cell carries over time: about `bps`, now and then nothing."""
    kind = draw(st.sampled_from([n.CONSTANT, n.SEGMENTS, n.MARKOV, n.TOKENS, n.AIRTIME]))
    rate = st.sampled_from([bps, 2 * bps, bps // 3 + 1, 0])
    if kind == n.SEGMENTS:
        gaps = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
        at_us = [scale * sum(gaps[:i]) for i in range(len(gaps))]
        rates = [draw(rate) for _ in gaps]
        burst = st.sampled_from([0, 0, 60, 240])
        bursts = [draw(burst) * WORK_A_BIT for _ in gaps]
        rates[0] = rates[0] if any(rates) or any(bursts) else bps
        lap_us = scale * sum(gaps)
        segments = {"at_us_S": array(at_us), "bps_S": array(rates), "burst_work_S": array(bursts)}
        return {
            "capacity": kind,
            **segments,
            "lap_us": lap_us,
            "offset_us": draw(st.sampled_from([1, lap_us])),
        }
    if kind == n.MARKOV:
        rates = [bps, draw(rate), draw(rate)]
        pair = st.lists(thresholds, min_size=2, max_size=2)
        rows = [[*sorted(draw(pair)), CERTAIN] for _ in range(4)]
        rows[1][0] = rows[2][0] = CERTAIN // 3  # the first state, which has a rate, comes back
        return {"capacity": kind, "bps_S": array(rates), "slot_us": scale * draw(st.integers(1, 9)),
                "next_SS": np.array(rows[:3], np.int64), "first_S": array(rows[3])}  # fmt: skip
    if kind == n.TOKENS:
        bucket_bits = 8 * (largest_bytes + draw(st.sampled_from([0, 3, 100])))
        line_bps = bps * draw(st.sampled_from([1, 2, 50]))
        return {"capacity": kind, "bps": line_bps, "token_bps": bps, "bucket_bits": bucket_bits}
    if kind == n.AIRTIME:
        a_byte_us = max(1, 8 * 10**6 // bps)
        return {"capacity": kind, "airtime_us_B": 3 + a_byte_us * np.arange(largest_bytes + 1)}
    return {"capacity": kind}


@st.composite
def links(draw: st.DrawFn, scale: int, bps: int, duration_us: int, plain: bool) -> Link:
    """Links of every kind, or of constant rate with nothing but queues, as they were first."""
    fields: dict[str, Any] = {
        "header_bytes": draw(st.integers(1, 8)),
        "buffer_bytes": draw(st.sampled_from([20, 38, 60, 150, 1000])),
        "propagation_us": draw(st.sampled_from([0, 0, 1, 2 * scale])),
    }
    if plain:
        return link(bps, **fields)
    sharing = draw(st.sampled_from([n.FIFO, n.ROUND_ROBIN, n.MAX_MIN, n.PROPORTIONAL, n.ALOHA]))
    aloha = sharing == n.ALOHA
    fields["fragment_bytes"] = draw(st.integers(0, 3))
    fields["mtu_bytes"] = fields["header_bytes"] + draw(st.sampled_from([4, 9, 20, 60, 200]))
    carries = draw(capacities(scale, bps, fields["mtu_bytes"]))
    if aloha and carries["capacity"] != n.AIRTIME:
        carries = {"capacity": n.CONSTANT}
    if sharing == n.PROPORTIONAL and carries["capacity"] == n.AIRTIME:
        carries = {"capacity": n.CONSTANT}
    can_fade = not aloha and carries["capacity"] != n.AIRTIME
    fades = sharing == n.PROPORTIONAL or (can_fade and draw(st.booleans()))
    sends_at_will = aloha or draw(st.booleans())
    aggregate = draw(st.sampled_from([1, 1, 2, 3]))
    turns = sorted(draw(st.sets(st.integers(0, duration_us + 9), max_size=4)))
    outages = turns[: len(turns) // 2 * 2]
    lossy = draw(st.booleans())
    changes = {
        "sharing": sharing,
        "channels": draw(st.integers(1, 3)) if aloha else 1,
        "half_life_us": scale * draw(st.integers(1, 50)),
        "fading_us": scale * draw(st.integers(1, 9)) if fades else 0,
        "fading_ppm_S": array([500_000, 1_000_000, 1_500_001][: draw(st.integers(1, 3))]),
        "jitter_us": draw(st.sampled_from([0, 0, 3 * scale])),
        "aggregate": aggregate,
        "aggregate_wait_us": scale * draw(st.integers(0, 30)) if aggregate > 1 else 0,
        "length_bytes": 2 if aggregate > 1 else 0,
        "queue": draw(st.sampled_from([n.DROP_LATE, n.DROP_TAIL, n.DROP_HEAD, n.DROP_EXPIRED])),
        "to_bad": draw(thresholds) if lossy else 0,
        "to_good": draw(thresholds),
        "loss_good": draw(thresholds) if lossy and draw(st.booleans()) else 0,
        "loss_bad": draw(thresholds),
        "retries": draw(st.sampled_from([0, 1, 3])),
        "retry_wait_us": scale * draw(st.sampled_from([0, 1, 7])),
        "backoff_us": scale * draw(st.sampled_from([0, 5])) if aloha else 0,
        "rest_ppm": draw(st.sampled_from([0, 300_001, 5_000_000])) if sends_at_will else 0,
        "outage_from_us_O": array(outages[::2]),
        "outage_to_us_O": array(outages[1::2]),
    }
    return link(bps, **fields, **changes)._replace(**carries)


@st.composite
def camera_groups(draw: st.DrawFn, period_us: int) -> Groups:
    """Up to three groups with frame periods and rates of their own."""
    weights = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    if draw(st.booleans()):
        return ALIKE
    periods_us = tuple(max(1, period_us // draw(st.integers(1, 4))) for _ in weights)
    rates_ppm = tuple(draw(st.sampled_from([1_000_000, 1_000_000, 333_333, 1000])) for _ in weights)
    shares = tuple(w / sum(weights) for w in weights)
    return groups_of(shares, periods_us, (1,) * len(weights), rates_ppm)


@st.composite
def views(draw: st.DrawFn, groups: int, looks: int, scenes: int, duration_us: int) -> Views:
    """What each group sees: up to three stages, some of the classes, a look, a ramp."""
    labels_F = array([draw(st.integers(0, 2)) for _ in range(scenes)])
    there_K = np.bincount(labels_F, minlength=3) > 0

    def stage(from_us: int, until_us: int) -> Stage:
        weight_K = np.array([draw(st.integers(0, 3)) for _ in range(3)]) * there_K
        share_K = weight_K if weight_K.any() else there_K
        ramp_us = draw(st.integers(0, until_us - from_us)) if from_us else 0
        return Stage(from_us, ramp_us, draw(st.integers(0, looks - 1)), share_K / share_K.sum())

    def stages() -> tuple[Stage, ...]:
        from_us = [0, *sorted(draw(st.sets(st.integers(1, duration_us), max_size=2)))]
        return tuple(stage(*bounds) for bounds in pairwise([*from_us, 2 * duration_us]))

    return views_of(tuple(stages() for _ in range(groups)), labels_F, 3)


@st.composite
def cases(draw: st.DrawFn, plain: bool) -> Case:
    scale = draw(st.sampled_from([MICROSECONDS, MILLISECONDS]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    odd = draw(st.integers(0, scale - 1))
    period_us = draw(st.integers(1, 20)) * scale + odd
    cameras = draw(st.integers(1, 6))
    cells = draw(st.integers(1, min(3, cameras)))
    versions, levels, images, heads = (int(count) for count in rng.integers((1, 2, 1, 1), (3, 6, 5, 3)))
    looks = draw(st.integers(1, 3))
    scenes = looks * images
    duration_us = period_us * draw(st.integers(1, 12)) + draw(st.integers(0, period_us))
    message_header = draw(st.integers(0, 3))
    payload_bytes = np.sort(rng.integers(0, 31, (versions, scenes, levels)).astype(np.int32), axis=2)
    # A controller that expects too little runs into its own backlog.
    hope = draw(st.sampled_from([1.0, 0.4]))
    typical_bits = 8 * cameras * (20 + message_header) // cells
    share = draw(st.sampled_from([1.0, 0.2, 0.8, 1.3, 2.0, 10.0]))
    bps = max(1, int(share * typical_bits * 10**6 / period_us)) + draw(st.integers(0, 9))
    times = st.integers(0, duration_us)
    fleet = periodic(
        seed=draw(st.integers(0, 2**63 - 1)),
        cameras=cameras,
        cells=cells,
        duration_us=duration_us,
        frame_period_us=period_us,
        encode_us=draw(st.sampled_from([0, 1, 3 * scale])),
        message_header_bytes=message_header,
        deadline_us=draw(st.sampled_from([4, 20, 2, 1, 4, 20, 2, 0])) * period_us + odd,
        fixed_level=draw(st.sampled_from([-1, -1, levels - 1])),
        observes=not plain and draw(st.booleans()),
        headroom_ppm=draw(st.integers(500_000, 10**6)),
        scenes=images,
        link=draw(links(scale, bps, duration_us, plain)),
    )
    if not plain:
        groups = draw(camera_groups(period_us))
        shortest_us = min(period_us, *groups.frame_period_us_G.tolist()) if groups is not ALIKE else period_us
        fleet = fleet._replace(
            capture=draw(st.sampled_from([PERIODIC, POISSON, BURSTS])),
            burst_period_us=max(1, shortest_us // draw(st.integers(1, 4))),
            event_slot_us=period_us * draw(st.integers(1, 3)),
            event_threshold=draw(thresholds),
            event_us=draw(st.integers(0, 3 * period_us)),
            spread_us=draw(st.sampled_from([1, period_us + 1])),
            groups=groups,
        )
        if len(groups.upto_G) and draw(st.booleans()):
            fleet = fleet._replace(views=draw(views(len(groups.upto_G), looks, images, duration_us)))
    return Case(
        fleet=fleet,
        payload_bytes=payload_bytes,
        millibits=rng.integers(0, 240_000, payload_bytes.shape).astype(np.int32),
        expected_bits=np.rint(8 * hope * (payload_bytes.mean(axis=1) + 10)).astype(np.int64),
        version_from_us=(0, *(draw(times) for _ in range(versions - 1))),
        right=rng.random((versions, heads, levels, scenes)) < 0.5,
        head_from_us=(0, *(draw(times) for _ in range(heads - 1))),
        heads=tuple(range(heads)),
        batching=(
            draw(st.integers(1, 4)),
            draw(st.sampled_from([0, 1, 5 * scale])),
            draw(st.sampled_from([0, 2 * scale])),
            draw(st.integers(1, 2 * scale)),
        ),
        servers=draw(st.integers(1, 2)),
        named=draw(st.sampled_from([(), (cells - 1,), tuple(range(cells))])),
        controller=draw(st.sampled_from(sorted(BUILT_IN))),
    )


def as_counts(reference: Reference) -> Counts:
    case, fleet = reference.case, reference.fleet
    counts = nothing_counted(case)
    for (camera, version, second, name), amount in reference.tally.items():
        column, cell = COLUMNS.index(name), camera % fleet.cells
        if fleet.counted_groups:
            counts.groups_GSC[group_of(fleet, camera), second, column] += amount
        counts.by_second_VSC[version, second, column] += amount
        if cell in case.named:
            counts.cells_KSC[case.named.index(cell), second, column] += amount
        if name == "wire_bits":
            counts.wire_bits_by_cell[cell] += amount
    for (version, place), amount in reference.latency_bins.items():
        counts.latency_VB[version, place] += amount
    return replace(counts, in_flight=len(reference.open))


def assert_same(counts: Counts, wanted: Counts) -> None:
    for name, column in zip(COLUMNS, range(len(COLUMNS)), strict=True):
        got, want = ([table[:, :, column] for table in c.tallies] for c in (counts, wanted))
        np.testing.assert_array_equal(got[0], want[0], err_msg=name)
        np.testing.assert_array_equal(got[1], want[1], err_msg=f"{name} in named cells")
        np.testing.assert_array_equal(got[2], want[2], err_msg=f"{name} by group")
    np.testing.assert_array_equal(counts.latency_VB, wanted.latency_VB)
    np.testing.assert_array_equal(counts.wire_bits_by_cell, wanted.wire_bits_by_cell)
    assert counts.in_flight == wanted.in_flight


def assert_same_as_reference(case: Case, data: st.DataObject) -> Counts:
    ends_us = sorted(data.draw(st.sets(st.integers(1, case.fleet.duration_us), max_size=4)))
    shards = data.draw(st.integers(1, 4))
    reference = Reference(case)
    counts, sent = run_engine(case, ends_us, shards)
    assert sorted(zip(*(column.tolist() for column in sent), strict=True)) == sorted(reference.sent)
    assert_same(counts, as_counts(reference))
    counts.check_conservation()
    return counts


@settings(max_examples=500, deadline=None)
@given(cases(plain=True), st.data())
def test_a_plain_cell_is_that_of_the_reference(case: Case, data: st.DataObject) -> None:
    counts = assert_same_as_reference(case, data)
    # No cell carries more than its budget allows by then.
    assert (counts.wire_bits_by_cell * 10**6 <= case.fleet.link.bps * case.fleet.duration_us).all()


@settings(max_examples=3000, deadline=None, report_multiple_bugs=False)
@given(cases(plain=False), st.data())
def test_every_message_and_every_count_is_that_of_the_reference(case: Case, data: st.DataObject) -> None:
    assert_same_as_reference(case, data)
