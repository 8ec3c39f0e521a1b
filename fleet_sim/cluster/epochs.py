"""From a scenario's fields to what the members of the fleet are told."""

from typing import Any

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import STREAM_SPLIT
from fleet_sim.camera.devices import encode_time_us
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.control.allocation import ALLOCATIONS
from fleet_sim.control.names import INLINE, estimates
from fleet_sim.engine.allocating import EQUAL_PARTS, Allocation
from fleet_sim.engine.answers import Batching
from fleet_sim.engine.captures import BURSTS, PERIODIC, POISSON
from fleet_sim.engine.fleet import NO_MIXES, Fleet, Mixes, Schedule
from fleet_sim.engine.groups import ALIKE, FULL_PPM, Groups, groups_of
from fleet_sim.engine.views import UNCHANGED, Views
from fleet_sim.network.build import link_of
from fleet_sim.network.downlink_spec import AirSpec, downlink_of
from fleet_sim.network.link import Link
from fleet_sim.scenario import SPLIT, Scenario, heads_by_time, service_times
from fleet_sim.scenario.allocating import told_after_us
from fleet_sim.scenario.capture import EVENT_SLOT_US, BurstsSpec, PoissonSpec
from fleet_sim.scenario.parts import FleetSpec
from fleet_sim.scenario.rollout import LabelsGuardSpec
from fleet_sim.scenario.work import camera_work, device_of
from fleet_sim.serving.spec import ServingSpec


def fleet_of(point: Scenario, scenes: int, views: Views = UNCHANGED, classes: int = 0) -> Fleet:
    """The constants of one sweep point; `classes` count for cameras that run a head."""
    device = device_of(point, classes)
    encode_us = point.fleet.encode_us
    if device is not None:
        encode_us = encode_time_us(device, camera_work(point, classes).multiply_adds)
    fixed = point.control.level if point.control.controller == "fixed" else -1
    estimated = estimates(point.control.controller)
    air = point.air
    link = link_of(point.link, air.share if air else 0)
    encode_us += point.control.confidence_us if estimated else 0
    if air and encode_us > point.control.period_us:
        raise UserError(
            f"control.period_us: encoders are switched at frame boundaries, and a frame takes {encode_us} us "
            f"to encode: the period must not be shorter, and is {point.control.period_us} us"
        )
    return Fleet(
        seed=point.seed,
        cameras=point.fleet.cameras,
        cells=point.cells,
        duration_us=point.duration_us,
        frame_period_us=point.fleet.frame_period_us,
        **_capture(point),
        encode_us=encode_us,
        message_header_bytes=HEADER_BYTES,
        deadline_us=point.serving.deadline_us,
        fixed_level=fixed,
        observes=point.control.controller not in INLINE,
        headroom_ppm=round(point.control.headroom * 1_000_000),
        scenes=scenes,
        link=link,
        groups=_groups(point.fleet),
        views=views,
        allocation=_allocation(point, link),
        metered=device is not None,
        **_labels(point),
        **_air(point, air),
    )


def _air(point: Scenario, air: AirSpec | None) -> dict[str, Any]:
    if air is None:
        return {}
    return {
        "downlink": downlink_of(air, point.link),
        "install_us": air.install_us,
        "install_failure_ppm": round(air.install_failure * 1_000_000),
    }


def _groups(spec: FleetSpec) -> Groups:
    if not spec.groups:
        return ALIKE
    return groups_of(
        tuple(group.share for group in spec.groups),
        tuple(spec.frame_period_of(group) for group in spec.groups),
        tuple(group.importance for group in spec.groups),
        tuple(round(group.link.rate * FULL_PPM) for group in spec.groups),
    )


def _allocation(point: Scenario, link: Link) -> Allocation:
    control = point.control
    if control.allocation == "equal":
        return EQUAL_PARTS
    floor_ppm = round(control.floor * FULL_PPM)
    kind = ALLOCATIONS[control.allocation]
    return Allocation(kind, floor_ppm, control.period_us, told_after_us(point, link))


def _capture(point: Scenario) -> dict[str, Any]:
    capture = point.fleet.capture
    if isinstance(capture, BurstsSpec):
        return {
            "capture": BURSTS,
            "burst_period_us": capture.burst_period_us,
            "event_slot_us": EVENT_SLOT_US,
            "event_threshold": capture.event_threshold,
            "event_us": capture.event_us,
            "spread_us": capture.spread_us + 1,
        }
    kind = POISSON if isinstance(capture, PoissonSpec) else PERIODIC
    nothing = dict.fromkeys(("burst_period_us", "event_slot_us", "spread_us"), 1)
    return {"capture": kind, **nothing, "event_threshold": 0, "event_us": 0}


def head_schedule(point: Scenario) -> Schedule:
    """Which head answers from when, as places in scenario.heads, as far as that is certain from the start.

    A switch waits for the next period boundary.
    """
    places = {head.name: place for place, head in enumerate(point.heads)} | {SPLIT: len(point.heads)}
    from_us, names = zip(*heads_by_time(point), strict=True)
    return Schedule(
        np.array(from_us, np.int64),
        np.array([places[name] for name in names], np.int64),
        _split(point.serving, places),
    )


def _split(serving: ServingSpec, places: dict[str, int]) -> Mixes:
    """The heads of a split as the only mix."""
    if not serving.split:
        return NO_MIXES
    below_ppm = np.rint(np.cumsum([part.share for part in serving.split]) * 1_000_000).astype(np.int64)
    heads = [places[part.head] for part in serving.split]
    return Mixes(
        np.array([STREAM_SPLIT]),
        np.array([0]),
        np.append(below_ppm, 1_000_000)[None],
        np.array([[*heads, places[serving.head]]], np.int64),
    )


def _labels(point: Scenario) -> dict[str, Any]:
    guard = point.rollout.guard if point.rollout else None
    if not isinstance(guard, LabelsGuardSpec):
        return {}
    return {
        "labelled_ppm": round(guard.share * 1_000_000),
        "wrong_labels_ppm": round(guard.wrong * 1_000_000),
    }


def batching_of(point: Scenario) -> Batching:
    """How servers batch and how long they take."""
    return Batching(point.serving.max_wait_us, service_times(point))
