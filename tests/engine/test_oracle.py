"""The oracle: what trying everything finds, and a bound that no controller passes."""

from itertools import product

import numpy as np
import pytest
from engine.fleets import Case, link, periodic, run_engine
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_sim.basics.hashing import STREAM_SCENE, draw_below
from fleet_sim.control.controller import BUILT_IN
from fleet_sim.control.observation import SKIP
from fleet_sim.engine.captures import first_capture_us
from fleet_sim.engine.oracle import Plan, best_plan
from fleet_sim.network import link as n
from fleet_sim.network.capacity import end_of_work
from fleet_sim.network.link import CERTAIN, WORK_A_BIT, Link

PERIOD_US, DEADLINE_US, SCENES, LEVELS = 100_000, 400_000, 30, 4


def segments(*rates_bps: int) -> Link:
    """A second at each rate, over and over."""
    return link(int(np.mean(rates_bps)), header_bytes=2, buffer_bytes=4000, propagation_us=1000)._replace(
        capacity=n.SEGMENTS,
        at_us_S=np.arange(len(rates_bps), dtype=np.int64) * 1_000_000,
        bps_S=np.array(rates_bps, np.int64),
        burst_work_S=np.zeros(len(rates_bps), np.int64),
        lap_us=1_000_000 * len(rates_bps),
        queue=n.DROP_EXPIRED,
    )


def tried_out(carrier: Link, ready: list[int], expiry: list[int], bits: np.ndarray, worth: np.ndarray) -> int:
    """The most that any choice of levels and skips gains."""
    most = 0
    for levels in product(range(SKIP, bits.shape[1]), repeat=len(ready)):
        free_us, spare, gained = -1, 0, 0
        for frame, level in enumerate(levels):
            if level == SKIP:
                continue
            begin_us = max(free_us, ready[frame])
            done = spare if begin_us == free_us else 0
            work = int(bits[frame, level]) * WORK_A_BIT
            free_us, spare, _, _ = end_of_work(carrier, 1, 0, 0, 0, begin_us, done, work, 10**9)
            if free_us <= expiry[frame]:
                gained += int(worth[frame, level])
        most = max(most, gained)
    return most


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_finds_what_trying_everything_finds(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    carrier = segments(*rng.integers(0, 3000, 3).tolist(), 1000)
    ready = np.cumsum(rng.integers(1, 400_000, 5))
    expiry = ready + rng.integers(1, 900_000)
    bits, worth = np.sort(rng.integers(50, 900, (5, 3))), np.sort(rng.integers(0, 10_000, (5, 3)))
    plan = best_plan(carrier, 1, 0, ready, expiry, bits, worth)
    assert plan.worth == tried_out(carrier, ready.tolist(), expiry.tolist(), bits, worth)
    assert plan.worth == sum(worth[f, k] for f, k in enumerate(plan.level_F) if k != SKIP)


MARKOV = segments(0)._replace(
    capacity=n.MARKOV,
    budget_bps=900,
    bps_S=np.array([100, 2500], np.int64),
    slot_us=300_000,
    next_SS=np.array([[CERTAIN * 3 // 4, CERTAIN], [CERTAIN // 4, CERTAIN]], np.int64),
    first_S=np.array([CERTAIN // 2, CERTAIN], np.int64),
)


def alone(carrier: Link, seed: int, controller: str) -> tuple[Case, np.ndarray]:
    """A camera alone on its link, with the oracle's worth of each frame and level: how likely it is right."""
    rng = np.random.default_rng(seed)
    payload_bytes = np.sort(rng.integers(1, 30, (1, SCENES, LEVELS)).astype(np.int32), axis=2)
    fleet = periodic(
        seed=seed,
        cameras=1,
        cells=1,
        duration_us=20_000_000,
        frame_period_us=PERIOD_US,
        encode_us=2000,
        message_header_bytes=1,
        deadline_us=DEADLINE_US,
        fixed_level=2 if controller == "fixed" else -1,
        headroom_ppm=900_000,
        scenes=SCENES,
        link=carrier,
        observes=controller in BUILT_IN,
    )
    case = Case(
        fleet=fleet,
        payload_bytes=payload_bytes,
        millibits=np.zeros_like(payload_bytes),
        expected_bits=np.rint(8 * (payload_bytes.mean(axis=1) + 3)).astype(np.int64),
        version_from_us=(0,),
        right=rng.random((1, 1, LEVELS, SCENES)) < np.linspace(0.3, 0.9, LEVELS)[:, None],
        head_from_us=(0,),
        heads=(0,),
        batching=(1, 0, 0, 1),
        servers=1,
        named=(),
        controller=controller,
    )
    return case, case.frame_right[0].astype(np.int64)


@pytest.mark.parametrize("carrier", [segments(900, 200, 4000, 50), MARKOV], ids=["segments", "markov"])
def test_no_controller_gains_more(carrier: Link) -> None:
    for seed in range(3):
        shares = []
        for controller in ["fixed", "budget", *BUILT_IN]:
            case, worth_FL = alone(carrier, seed, controller)
            plan = oracle(case, worth_FL)
            _, sent = run_engine(case)
            scene_m = [int(draw_below(seed, STREAM_SCENE, 0, frame, SCENES)) for frame in sent.frame]
            on_time_m = sent.arrive_us - sent.capture_us <= DEADLINE_US
            shares.append(int((worth_FL[scene_m, sent.level] * on_time_m).sum()) / plan.worth)
        assert max(shares) <= 1
        assert min(shares) > 0
        assert max(shares) > 0.6


def oracle(case: Case, worth_FL: np.ndarray) -> Plan:
    fleet = case.fleet
    capture_us = np.arange(first_capture_us(fleet, 0), fleet.duration_us, PERIOD_US)
    scene_F = [
        int(draw_below(fleet.seed, STREAM_SCENE, 0, frame, SCENES)) for frame in range(len(capture_us))
    ]
    around = fleet.message_header_bytes + fleet.link.header_bytes
    return best_plan(
        fleet.link,
        fleet.seed,
        0,
        capture_us + fleet.encode_us,
        capture_us + DEADLINE_US - fleet.link.propagation_us,
        8 * (case.payload_bytes[0, scene_F].astype(np.int64) + around),
        worth_FL[scene_F],
    )
