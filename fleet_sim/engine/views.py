"""Which scene a camera sees: classes and looks that change over virtual time, group by group.

A scene is an image in one of its looks: scene = look * images + image. A group has stages; from one to the
next its cameras change over frame by frame, within the stage's ramp.
"""

from typing import NamedTuple

import numpy as np

from fleet_sim.basics.compiled import inlined
from fleet_sim.basics.hashing import STREAM_RAMP, STREAM_SCENE, STREAM_VIEW, draw, draw_below
from fleet_sim.engine.groups import WHOLE, group_of


class Views(NamedTuple):
    """T stages of all groups, K classes; no stages where every camera always sees any image, clear."""

    first_G1: np.ndarray  # (G + 1,) int64: where a group's stages begin
    from_us_T: np.ndarray  # (T,) int64 rising within a group, the first 0
    ramp_us_T: np.ndarray  # (T,) int64
    look_T: np.ndarray  # (T,) int64
    upto_TK: np.ndarray  # (T, K) int64: shares of the classes added up, in 2**32nds; the last is WHOLE
    first_K1: np.ndarray  # (K + 1,) int64: where a class's images begin in order_F
    order_F: np.ndarray  # (F,) int64: the images, class by class


class Stage(NamedTuple):
    """What a group sees from a time on: shares of the classes, adding up to 1, and the place of a look."""

    from_us: int
    ramp_us: int
    look: int
    shares_K: np.ndarray


def views_of(stages: tuple[tuple[Stage, ...], ...], labels_F: np.ndarray, classes: int) -> Views:
    """Views from the stages of each group and the classes of the F images."""
    together = [stage for of_group in stages for stage in of_group]
    upto_TK = np.rint(np.cumsum([stage.shares_K for stage in together], axis=1) * WHOLE).astype(np.int64)
    for stage, upto_K in zip(together, upto_TK, strict=True):
        upto_K[np.flatnonzero(stage.shares_K)[-1] :] = (
            WHOLE  # no rounding gives a class without share a place
        )
    return Views(
        first_G1=np.cumsum([0, *(len(of_group) for of_group in stages)], dtype=np.int64),
        from_us_T=np.array([stage.from_us for stage in together], np.int64),
        ramp_us_T=np.array([stage.ramp_us for stage in together], np.int64),
        look_T=np.array([stage.look for stage in together], np.int64),
        upto_TK=upto_TK,
        first_K1=np.searchsorted(np.sort(labels_F), np.arange(classes + 1)).astype(np.int64),
        order_F=np.argsort(labels_F, kind="stable").astype(np.int64),
    )


_NOTHING = np.zeros(0, np.int64)
UNCHANGED = Views(_NOTHING, _NOTHING, _NOTHING, _NOTHING, np.zeros((0, 0), np.int64), _NOTHING, _NOTHING)


@inlined()
def scene_of(fleet, camera, frame, capture_us):
    """Which scene this camera sees in this frame."""
    if fleet.views.from_us_T.shape[0] == 0:
        return draw_below(fleet.seed, STREAM_SCENE, camera, frame, fleet.scenes)
    return _scene_of_stage(fleet, camera, frame, _stage_of(fleet, camera, frame, capture_us))


@inlined()
def _stage_of(fleet, camera, frame, capture_us):
    views, group = fleet.views, group_of(fleet, camera)
    stage = views.first_G1[group]
    while stage + 1 < views.first_G1[group + 1] and views.from_us_T[stage + 1] <= capture_us:
        stage += 1
    since_us = capture_us - views.from_us_T[stage]
    if since_us < views.ramp_us_T[stage]:
        stage -= draw_below(fleet.seed, STREAM_RAMP, camera, frame, views.ramp_us_T[stage]) >= since_us
    return stage


@inlined()
def _scene_of_stage(fleet, camera, frame, stage):
    views = fleet.views
    toss = np.int64(draw(fleet.seed, STREAM_SCENE, camera, frame) >> np.uint64(32))
    label = 0
    while toss >= views.upto_TK[stage, label]:
        label += 1
    first = views.first_K1[label]
    within = draw_below(fleet.seed, STREAM_VIEW, camera, frame, views.first_K1[label + 1] - first)
    return views.look_T[stage] * fleet.scenes + views.order_F[first + within]
