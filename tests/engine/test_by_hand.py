"""Queues whose answers are known on paper."""

from dataclasses import replace

import numpy as np
from engine.fleets import Case, link, run_engine
from engine.formula import formula_case
from engine.reference import captures_us

from fleet_sim.engine import counts as c

PHASES_US = (37_841, 61_329)  # where seed 3 puts cameras 0 and 1 in a period of 400 ms


def two_cameras(duration_us: int = 2_000_000, budget_bps: int = 8000, deadline_us: int = 10**7) -> Case:
    """100 bytes on the wire take 100 ms at 8 kbit/s: a queue of fixed gaps and fixed service, half loaded."""
    case = formula_case()
    fleet = case.fleet._replace(
        seed=3,
        cameras=2,
        cells=1,
        duration_us=duration_us,
        frame_period_us=400_000,
        encode_us=5_000,
        message_header_bytes=6,
        deadline_us=deadline_us,
        fixed_level=0,
        scenes=1,
        link=link(budget_bps, propagation_us=20_000, header_bytes=8, buffer_bytes=200),
    )
    return replace(
        case,
        fleet=fleet,
        payload_bytes=np.full((1, 1, 1), 86, np.int32),
        millibits=np.full((1, 1, 1), 650_000, np.int32),
        expected_bits=np.full((1, 1), 800, np.int64),
        version_from_us=(0,),
        right=np.ones((1, 1, 1, 1), np.bool_),
        head_from_us=(0,),
        heads=(0,),
        batching=(1, 0, 3_000, 200),
        servers=1,
        named=(),
    )


def test_a_half_loaded_queue_has_the_latency_of_the_textbook() -> None:
    case = two_cameras()
    assert [next(captures_us(case.fleet, camera)) for camera in (0, 1)] == list(PHASES_US)
    counts, sent = run_engine(case)
    # Camera 0 finds the link free: encode 5 + send 100 + travel 20 + answer 3.2 ms.
    # Camera 1 is ready 23.488 ms later, waits until the link is free, and then takes the same time.
    gap_us = PHASES_US[1] - PHASES_US[0]
    latencies_us = (128_200, 128_200 + 100_000 - gap_us)
    assert latencies_us == (128_200, 204_712)
    assert sorted(sent.arrive_us.tolist()) == sorted(
        PHASES_US[0] + 400_000 * frame + 125_000 + 100_000 * camera for frame in range(5) for camera in (0, 1)
    )
    assert counts.total_C[c.LATENCY_US_SUM] == 5 * sum(latencies_us)
    assert counts.total_C[c.OFFERED] == counts.total_C[c.RIGHT_ON_TIME] == 10
    assert counts.in_flight == 0
    # Frames of camera 0 are answered at 166.041 + 400 k ms, those of camera 1 at 266.041 + 400 k ms.
    assert counts.by_second_VSC[0, :, c.ANSWERED].tolist() == [3 + 2, 2 + 3]
    assert counts.wire_bits_by_cell.tolist() == [10 * 800]


def test_on_time_includes_the_deadline_itself() -> None:
    for deadline_us, on_time in ((204_712, 10), (204_711, 5)):
        counts, _ = run_engine(two_cameras(deadline_us=deadline_us))
        assert counts.total_C[c.ANSWERED] == 10
        assert counts.total_C[c.ON_TIME] == counts.total_C[c.RIGHT_ON_TIME] == on_time


def test_an_overloaded_queue_works_without_a_rest_and_loses_what_does_not_fit() -> None:
    # 2 kbit/s for 4 kbit/s offered: a frame every 400 ms goes out, as many are lost, 2 a camera wait.
    case = two_cameras(duration_us=40_000_000, budget_bps=2000)
    counts, sent = run_engine(case)
    began_us = PHASES_US[0] + 5_000
    assert sorted(sent.arrive_us.tolist()) == [
        began_us + 400_000 * (k + 1) + 20_000 for k in range((40_000_000 - began_us - 1) // 400_000)
    ]
    sent_0 = int((sent.camera == 0).sum())
    assert abs(2 * sent_0 - len(sent.camera)) <= 1
    assert counts.total_C[c.OFFERED] == 200
    assert counts.total_C[c.DROPPED_BUFFER] == 200 - len(sent.camera) - 1 - 2 * 2
    counts.check_conservation()
