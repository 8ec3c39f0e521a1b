"""The compiled step and servers do exactly what an event-by-event reference does."""

import numpy as np
from engine.fleets import Case, run_engine
from engine.reference import Reference
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.engine.counts import COLUMNS, Counts
from fleet_sim.engine.fleet import Fleet

MICROSECONDS, MILLISECONDS = 1, 50_000
"""In the first scale frames come every few microseconds, so that nearly everything happens at once."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    scale = draw(st.sampled_from([MICROSECONDS, MILLISECONDS]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    odd = draw(st.integers(0, scale - 1))
    period_us = draw(st.integers(1, 20)) * scale + odd
    cameras = draw(st.integers(1, 6))
    cells = draw(st.integers(1, min(3, cameras)))
    versions, levels, scenes, heads = (int(n) for n in rng.integers((1, 2, 1, 1), (3, 6, 5, 3)))
    duration_us = period_us * draw(st.integers(1, 12)) + draw(st.integers(0, period_us))
    header = draw(st.integers(1, 8))
    payload_bytes = np.sort(rng.integers(0, 31, (versions, levels, scenes)).astype(np.int32), axis=1)
    # A controller that expects too little runs into its own backlog.
    hope = draw(st.sampled_from([1.0, 0.4]))
    typical_bits = 8 * cameras * (15 + header) // cells
    share = draw(st.sampled_from([1.0, 0.2, 0.8, 1.3, 2.0, 10.0]))
    times = st.integers(0, duration_us)
    fleet = Fleet(
        seed=draw(st.integers(0, 2**63 - 1)),
        cameras=cameras,
        cells=cells,
        duration_us=duration_us,
        frame_period_us=period_us,
        encode_us=draw(st.sampled_from([0, 1, 3 * scale])),
        budget_bps=max(1, int(share * typical_bits * 10**6 / period_us)) + draw(st.integers(0, 9)),
        propagation_us=draw(st.sampled_from([0, 0, 1, 2 * scale])),
        header_bytes=header,
        buffer_bytes=draw(st.sampled_from([20, 38, 60, 150, 1000])),
        deadline_us=draw(st.sampled_from([4, 20, 2, 1, 4, 20, 2, 0])) * period_us + odd,
        fixed_level=draw(st.sampled_from([-1, -1, levels - 1])),
        headroom_ppm=draw(st.integers(500_000, 10**6)),
        scenes=scenes,
    )
    return Case(
        fleet=fleet,
        payload_bytes=payload_bytes,
        millibits=rng.integers(0, 240_000, payload_bytes.shape).astype(np.int32),
        expected_bits=np.rint(8 * hope * (payload_bytes.mean(axis=2) + header)).astype(np.int64),
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
    )


def as_counts(reference: Reference) -> Counts:
    case, fleet = reference.case, reference.fleet
    counts = Counts.zero(len(case.version_from_us), fleet.seconds, len(case.named), fleet.cells)
    for (cell, version, second, name), amount in reference.tally.items():
        column = COLUMNS.index(name)
        counts.by_second_VSC[version, second, column] += amount
        if cell in case.named:
            counts.cells_KSC[case.named.index(cell), second, column] += amount
        if name == "wire_bits":
            counts.wire_bits_by_cell[cell] += amount
    for (version, place), amount in reference.latency_bins.items():
        counts.latency_VB[version, place] += amount
    return Counts(
        counts.by_second_VSC,
        counts.cells_KSC,
        counts.latency_VB,
        counts.wire_bits_by_cell,
        len(reference.open),
    )


def assert_same(counts: Counts, wanted: Counts) -> None:
    for name, column in zip(COLUMNS, range(len(COLUMNS)), strict=True):
        got = counts.by_second_VSC[:, :, column], counts.cells_KSC[:, :, column]
        want = wanted.by_second_VSC[:, :, column], wanted.cells_KSC[:, :, column]
        np.testing.assert_array_equal(got[0], want[0], err_msg=name)
        np.testing.assert_array_equal(got[1], want[1], err_msg=f"{name} in named cells")
    np.testing.assert_array_equal(counts.latency_VB, wanted.latency_VB)
    np.testing.assert_array_equal(counts.wire_bits_by_cell, wanted.wire_bits_by_cell)
    assert counts.in_flight == wanted.in_flight


@settings(max_examples=1500, deadline=None)
@given(cases(), st.data())
def test_every_message_and_every_count_is_that_of_the_reference(case: Case, data: st.DataObject) -> None:
    ends_us = sorted(data.draw(st.sets(st.integers(1, case.fleet.duration_us), max_size=4)))
    shards = data.draw(st.integers(1, 4))
    reference = Reference(case)
    counts, sent = run_engine(case, ends_us, shards)
    columns = (sent.arrive_us, sent.camera, sent.frame, sent.level, sent.version)
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == sorted(reference.sent)
    frames = zip(sent.camera.tolist(), sent.frame.tolist(), strict=True)
    assert sent.capture_us.tolist() == [case.capture_us(camera, frame) for camera, frame in frames]
    assert_same(counts, as_counts(reference))
    counts.check_conservation()
    # No cell carries more than its budget allows by then.
    assert (counts.wire_bits_by_cell * 10**6 <= case.fleet.budget_bps * case.fleet.duration_us).all()
