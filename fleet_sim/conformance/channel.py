"""What gets lost on the way: Gilbert-Elliott, retries, ALOHA's collisions; and how late, how often."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fleet_sim.conformance.check import Check, by_chance, within
from fleet_sim.conformance.lab import SECOND_US, Outcome, fleet_on, simulate
from fleet_sim.engine.captures import POISSON
from fleet_sim.network.lora import time_on_air_us

PACKET_BYTES = 100


def checks(seed: int) -> Iterator[Check]:
    """Loss by packet, collisions, rests, jitter."""
    yield from _gilbert_elliott(seed, h=0.0, k=1.0)
    yield from _gilbert_elliott(seed, h=0.3, k=0.98)
    yield from _retries(seed)
    yield from _aloha(seed)
    yield _duty_cycle(seed)
    yield from _jitter(seed)


def _lone_cameras(link: dict[str, Any], seed: int, cameras: int, frames: int) -> Outcome:
    """Cameras on links of their own that are never full."""
    fleet = fleet_on(
        {"budget_bps": 1_000_000, "sharing": "dedicated", **link},
        seed=seed,
        cameras=cameras,
        cells=cameras,
        duration_us=frames * SECOND_US,
        frame_period_us=SECOND_US,
    )
    return simulate(fleet, np.array([PACKET_BYTES]))


def _gilbert_elliott(seed: int, h: float, k: float) -> Iterator[Check]:
    p, r, cameras, frames, warm = 0.02, 0.2, 400, 4_000, 100
    loss = {"kind": "gilbert_elliott", "p": p, "r": r, "h": h, "k": k}
    sent = _lone_cameras({"loss": loss}, seed, cameras, frames).sent
    lost_RF = np.ones((cameras, frames), np.bool_)
    lost_RF[sent.camera, sent.frame] = False
    lost_RF = lost_RF[:, warm : frames - 1]  # the last one may still be under way
    # E. O. Elliott, "Estimates of error rates for codes on burst-noise channels", 1963: with the stationary
    # states, and the chance that one loss follows another.
    state = np.array([r, p]) / (p + r)
    loses = np.array([1 - k, 1 - h])
    moves = np.array([[1 - p, p], [r, 1 - r]])
    rate = state @ loses
    again = (state * loses) @ moves @ loses / rate
    model, n = f"Gilbert-Elliott h={h} k={k}", lost_RF.size
    yield by_chance(model, "share of packets lost", lost_RF.mean(axis=1), rate, n)
    first_R = (lost_RF[:, 1:] & ~lost_RF[:, :-1]).sum(axis=1)
    yield by_chance(model, "losses in a row", lost_RF[:, 1:].sum(axis=1) / first_R, 1 / (1 - again), n)


def _retries(seed: int) -> Iterator[Check]:
    p, retries, cameras, frames = 0.3, 2, 200, 2_000
    link = {"loss": {"kind": "bernoulli", "p": p}, "retries": retries, "feedback_bytes": 0}
    outcome = _lone_cameras(link, seed, cameras, frames)
    through_R = np.bincount(outcome.sent.camera, minlength=cameras)
    lost, n = p ** (retries + 1), cameras * frames
    yield by_chance("2 retries", "share of messages lost", 1 - through_R / frames, lost, n)
    packets_S = outcome.by_second("packets")[1:-1]
    yield by_chance("2 retries", "packets a message", packets_S / cameras, (1 - lost) / (1 - p), n)


def _aloha(seed: int) -> Iterator[Check]:
    """N. Abramson, "The ALOHA system", 1970: of packets offered at G a packet time, exp(-2 G) get through."""
    cameras, duration_s, block_s, air_us = 4_000, 1_200, 20, 8_000
    for channels, offered in ((1, 0.5), (1, 0.2), (3, 1.5)):
        fleet = fleet_on(
            {"budget_bps": 8 * PACKET_BYTES * SECOND_US // air_us, "sharing": "aloha", "channels": channels},
            seed=seed,
            cameras=cameras,
            cells=1,
            duration_us=duration_s * SECOND_US,
            frame_period_us=round(cameras * air_us / offered),
            capture=POISSON,
        )
        outcome = simulate(fleet, np.array([PACKET_BYTES]))
        through_I = outcome.by_second("sent").reshape(-1, block_s).sum(axis=1)
        # The others: a camera does not collide with itself.
        expected = offered * np.exp(-2 * offered / channels * (cameras - 1) / cameras)
        yield by_chance(
            f"ALOHA, {channels} channel{'s' if channels > 1 else ''}, G={offered}",
            "packets through a packet time",
            through_I * air_us / (block_s * SECOND_US),
            expected,
            outcome.count("packets"),
        )


def _duty_cycle(seed: int) -> Check:
    """A camera that always has something to send is on the air for 1 % of the time."""
    link = {"profile": "lorawan-eu868-dr5", "mtu_bytes": 235, "header_bytes": 0, "queue": "tail"}
    fleet = fleet_on(
        link,
        seed=seed,
        cameras=50,
        cells=50,
        duration_us=5_000 * SECOND_US,
        frame_period_us=SECOND_US,
    )
    outcome = simulate(fleet, np.array([PACKET_BYTES]))
    sent = outcome.sent
    air_us = time_on_air_us(PACKET_BYTES, 7, 125_000, 1, 8)
    gap_us = np.diff(sent.arrive_us)[np.diff(sent.camera) == 0]
    share = air_us / int(gap_us.min())
    return within(
        "1 % duty cycle",
        "largest share on air, packet to packet",
        share,
        0.01,
        0.00999,
        0.01,
        len(sent.camera),
    )


def _jitter(seed: int) -> Iterator[Check]:
    jitter_us, cameras, frames = 50_000, 100, 1_000
    sent = _lone_cameras({"jitter_us": jitter_us}, seed, cameras, frames).sent
    late_us = sent.arrive_us - sent.capture_us - 8 * PACKET_BYTES
    late_R = np.bincount(sent.camera, weights=late_us) / np.bincount(sent.camera)
    yield by_chance("jitter", "mean, ms", late_R / 1000, jitter_us / 2000, len(late_us))
    most = int(late_us.max())
    yield within("jitter", "most, ms", most / 1000, 50, 49.9, 50, len(late_us))
