"""Pools of replicas: as the event-by-event reference has them, however time is cut, and by their promises."""

from itertools import pairwise

import numpy as np
import pytest
from engine.fleets import link, periodic
from hypothesis import given, settings
from hypothesis import strategies as st
from serving.pool_reference import Frame, Pool, Setting

from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import group_of, groups_of
from fleet_sim.engine.pools import Held, advance, nothing_held
from fleet_sim.engine.sent import Sent, take
from fleet_sim.serving.replicas import (
    FIXED,
    KEEP,
    LATE,
    PREDICTED,
    QUEUE,
    SHED,
    UTILISATION,
    WAITS,
    WORK,
    Rules,
)

Fate = tuple[str, int, int]
CELLS = 3
DEADLINE_US = 1000
GROUPS = groups_of((0.4, 0.3, 0.3), (1, 1, 1), (1, 5, 1))
CLASS_G = np.array([1, 0, 1])


def fleet(seed: int, end_us: int) -> Fleet:
    return periodic(
        seed=seed, cameras=1, cells=CELLS, duration_us=end_us, frame_period_us=1, encode_us=0,
        message_header_bytes=0, deadline_us=DEADLINE_US, fixed_level=0, headroom_ppm=1, scenes=1,
        link=link(1000), groups=GROUPS,
    )  # fmt: skip


GROUP_OF = [int(group_of(fleet(0, 1), camera)) for camera in range(40)]


def rules_of(s: Setting) -> Rules:
    changes = [(a, 1, r) for r, a, _ in s.failures] + [(b, -1, r) for r, _, b in s.failures]
    us_X, change_X, replica_X = np.array(sorted(changes), np.int64).reshape(-1, 3).T.copy()
    from_us_W, head_W = np.array(s.heads, np.int64).T.copy()
    return Rules(
        seed=s.seed,
        end_us=s.end_us,
        max_wait_us=s.max_wait_us,
        service_us_HN=np.array([times[: s.batch + 1] for times in s.service_us], np.int64),
        head_from_us_W=from_us_W,
        head_W=head_W,
        class_G=CLASS_G,
        replicas=s.replicas,
        hashed=s.routing == "hash",
        shed={"none": KEEP, "late": LATE, "predicted": PREDICTED}[s.shed],
        queue_limit=2**31 - 1 if s.queue_limit is None else s.queue_limit,
        scaling={"none": FIXED, "utilisation": UTILISATION, "queue": QUEUE}[s.autoscale],
        least=s.least,
        most=s.most,
        target=s.target,
        startup_us=s.startup_us,
        period_us=s.period_us,
        resident=s.resident or 0,
        load_us=s.load_us,
        standby=s.standby,
        failure_us_X=us_X,
        failure_replica_X=replica_X,
        failure_change_X=change_X,
    )


@st.composite
def settings_of_pools(draw: st.DrawFn) -> Setting:
    batch = draw(st.integers(1, 4))
    step = st.integers(0, 6)
    service_us = []
    for _ in range(2):
        times = [0, draw(st.integers(1, 15))]
        for _ in range(batch - 1):
            times.append(times[-1] + draw(step))
        service_us.append(times)
    least = draw(st.integers(1, 2))
    most = draw(st.integers(least, 4))
    scaling = draw(st.sampled_from(["none", "none", "utilisation", "queue"]))
    replicas = draw(st.integers(least, most))
    most, least = (replicas, replicas) if scaling == "none" else (most, least)
    times = st.integers(0, 130)
    resident = draw(st.sampled_from([None, 1, 2]))
    failures = [
        (draw(st.integers(0, most - 1)), at, at + draw(st.integers(1, 40)))
        for at in draw(st.lists(times, max_size=4))
    ]
    return Setting(
        seed=draw(st.integers(0, 2**63 - 1)),
        end_us=draw(st.integers(100, 250)),
        batch=batch,
        max_wait_us=draw(st.sampled_from([0, 0, 1, 7])),
        service_us=service_us,
        heads=[(0, draw(st.integers(0, 1))), (draw(times), draw(st.integers(0, 1)))],
        replicas=replicas,
        routing=draw(st.sampled_from(["least_loaded", "hash"])),
        shed=draw(st.sampled_from(["none", "late", "predicted"])),
        queue_limit=draw(st.sampled_from([None, None, 1, 3])),
        autoscale=scaling,
        least=least,
        most=most,
        target=draw(st.sampled_from([300_000, 1_000_000] if scaling == "utilisation" else [1, 3])),
        startup_us=draw(st.sampled_from([0, 1, 25])),
        period_us=draw(st.integers(5, 40)),
        resident=resident,
        load_us=draw(st.integers(0, 9)),
        standby=resident == 2 and draw(st.booleans()),
        failures=failures,
    )


@st.composite
def arrivals(draw: st.DrawFn, end_us: int) -> list[Frame]:
    """Frames in the order of the server, each of its own camera; a camera's class is its group's."""
    span = draw(st.sampled_from([20, 100, end_us]))
    most = draw(st.sampled_from([5, 40]))
    rows = draw(
        st.lists(st.tuples(st.integers(0, span), st.integers(1, 60), st.integers(0, 1)), max_size=most)
    )
    frames = [
        Frame(arrive, arrive + slack, camera, version, int(CLASS_G[GROUP_OF[camera]]))
        for camera, (arrive, slack, version) in enumerate(rows)
    ]
    return sorted(frames, key=lambda f: (f.arrive_us, f.camera % CELLS, f.camera))


def run(
    s: Setting, frames: list[Frame], ends_us: list[int], class_G: np.ndarray = CLASS_G
) -> tuple[dict[int, Fate], Held]:
    """What became of each camera's frame, the pool run from each time to the next."""
    columns = np.array(
        [(f.arrive_us, f.expiry_us - DEADLINE_US, f.camera, f.version) for f in frames], np.int64
    )
    arrive_us, capture_us, camera, version = columns.reshape(-1, 4).T
    nothing = np.zeros(len(frames))
    sent = Sent(
        arrive_us.copy(),
        capture_us.copy(),
        camera.astype(np.int32),
        nothing.astype(np.int32),
        nothing.astype(np.int8),
        version.astype(np.int8),
    )
    alike = fleet(s.seed, s.end_us)
    rules, fates = rules_of(s)._replace(class_G=class_G), dict[int, Fate]()
    held = nothing_held(rules)
    for begin_us, until_us in pairwise([0, *ends_us, s.end_us]):
        new = take(sent, np.flatnonzero((arrive_us >= begin_us) & (arrive_us < until_us)))
        parts = [take(new, np.flatnonzero(new.camera % 2 == part)) for part in (1, 0)]
        held, seen, after = advance(held, parts, until_us, alike, rules)
        for camera, head, at in zip(seen.camera, after.head, after.ended_us, strict=True):
            if head != WAITS:
                assert int(camera) not in fates
                shed = head == SHED
                fates[int(camera)] = ("shed", int(at), -1) if shed else ("answered", int(at), int(head))
    return fates, held


@settings(max_examples=500, deadline=None)
@given(settings_of_pools(), st.data())
def test_every_frame_fares_as_in_the_reference_however_time_is_cut(s: Setting, data: st.DataObject) -> None:
    frames = data.draw(arrivals(s.end_us))
    ends_us = sorted(data.draw(st.sets(st.integers(1, s.end_us - 1), max_size=4)))
    fates, held = run(s, frames, ends_us)
    wanted = Pool(s, frames)
    assert fates == {frame.camera: fate for frame, fate in wanted.fate.items()}
    work = dict(zip(WORK, held.pool.work_Q.tolist(), strict=True))
    assert work == {name: wanted.work[name] for name in WORK}
    there = [frame for frame in frames if frame.arrive_us < s.end_us]
    assert len(fates) + len(held.replica_K) == len(there)  # nothing is lost


def goodput(shed: str, load: float) -> float:
    """Frames answered within the deadline a second, of 4,000 that come at random to one replica."""
    service_us = [0, *(2000 + 1000 * n for n in range(1, 5))]
    saturating = 4 / service_us[4]
    gaps_us = np.random.default_rng(1).exponential(1 / (load * saturating), 4000)
    arrive_us = np.rint(np.cumsum(gaps_us)).astype(int).tolist()
    s = Setting(
        seed=1, end_us=arrive_us[-1], batch=4, max_wait_us=0, service_us=[service_us] * 2, heads=[(0, 0)],
        replicas=1, routing="least_loaded", shed=shed, queue_limit=None, autoscale="none", least=1, most=1,
        target=1, startup_us=0, period_us=1, resident=None, load_us=0, standby=False, failures=[],
    )  # fmt: skip
    deadline_us = 60_000
    frames = [Frame(at, at + deadline_us, camera, 0, 0) for camera, at in enumerate(arrive_us)]
    fates, _ = run(s, frames, [], class_G=np.zeros(1, np.int64))
    took_us_each = [at - arrive_us[camera] for camera, (what, at, _) in fates.items() if what == "answered"]
    on_time = sum(took_us <= deadline_us for took_us in took_us_each)
    return on_time / arrive_us[-1]


@pytest.mark.parametrize("shed", ["late", "predicted"])
def test_goodput_at_twice_the_saturating_load_stays_near_its_peak(shed: str) -> None:
    peak = max(goodput(shed, load) for load in (0.8, 0.9, 1.0, 1.2, 1.5))
    assert goodput(shed, 2.0) >= 0.95 * peak


def test_without_shedding_goodput_collapses() -> None:
    assert goodput("none", 2.0) < 0.2 * goodput("none", 0.9)
