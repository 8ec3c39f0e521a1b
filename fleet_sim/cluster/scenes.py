"""The scenes of a run: every test image in every look that some group sees."""

from dataclasses import dataclass

import numpy as np

from fleet_sim.basics.errors import UserError, instead
from fleet_sim.cluster.calibration import MOST_IMAGES
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.looks import CLEAR, Look
from fleet_sim.data.weather import seen
from fleet_sim.engine.views import UNCHANGED, Stage, Views, views_of
from fleet_sim.scenario import Scenario
from fleet_sim.scenario.groups import GroupSpec, ViewSpec

SAMPLE = 200
ALL = GroupSpec(name="all", share=1)


@dataclass(frozen=True)
class Scenes:
    """F scenes: `images` clear ones, then the same in other looks."""

    images_FHWC: np.ndarray  # uint8
    labels_F: np.ndarray
    images: int
    views: Views
    validation: tuple[np.ndarray, np.ndarray]  # other images and labels, on which controllers are calibrated
    classes: int
    first_seen_G: tuple[Stage, ...]  # what groups see at first: of all cameras where they are alike
    looks: tuple[Look, ...]  # what the places of looks in stages mean
    trained_on_MHWC: np.ndarray  # some of what was trained on: what cameras plan pictures' sizes by


def scenes_of(dataset: Dataset, scenario: Scenario) -> Scenes:
    """What the cameras of a scenario see of a data set; UserError for classes that it does not have."""
    images_FHWC, labels_F = dataset.test_images_NHWC, dataset.test_labels_N
    groups = scenario.fleet.groups
    looks = list(dict.fromkeys([CLEAR, *(view.seen for group in groups for view in group.sees)]))
    views = UNCHANGED
    stages = tuple(_stages(group, place, dataset, looks) for place, group in enumerate(groups or (ALL,)))
    if any(group.sees for group in groups):
        views = views_of(stages, labels_F, len(dataset.class_names))
    scenes_FHWC = np.empty((len(looks) * len(labels_F), *images_FHWC.shape[1:]), np.uint8)
    for place, look in enumerate(looks):
        scenes_FHWC[place * len(labels_F) :][: len(labels_F)] = seen(images_FHWC, look, scenario.seed)
    return Scenes(
        scenes_FHWC,
        np.tile(labels_F, len(looks)),
        len(labels_F),
        views,
        (dataset.validation_images_NHWC[:MOST_IMAGES], dataset.validation_labels_N[:MOST_IMAGES]),
        len(dataset.class_names),
        tuple(of_group[0] for of_group in stages),
        tuple(looks),
        dataset.train_images_NHWC[:: -(-len(dataset.train_images_NHWC) // SAMPLE)],
    )


def _stages(group: GroupSpec, place: int, dataset: Dataset, looks: list[Look]) -> tuple[Stage, ...]:
    return tuple(
        Stage(
            view.from_us,
            view.ramp_us,
            looks.index(view.seen),
            _shares(view, f"fleet.groups.{place}.sees.{i}.classes", dataset),
        )
        for i, view in enumerate(group.sees or (ViewSpec(),))
    )


def _shares(view: ViewSpec, field: str, dataset: Dataset) -> np.ndarray:
    names = dataset.class_names
    count_K = np.bincount(dataset.test_labels_N, minlength=len(names)).astype(np.float64)
    if view.classes:
        for name in view.classes:
            if name not in names:
                raise UserError(f"{field}: the images have no class '{name}'; {instead(name, names)}")
        weight_K = np.array([view.classes.get(name, 0.0) for name in names])
        if (without := weight_K * (count_K == 0)).any():
            raise UserError(
                f"{field}: no scene is of class '{names[int(without.argmax())]}'; see data.scenes"
            )
        count_K = weight_K
    shares_K: np.ndarray = count_K / count_K.sum()
    return shares_K
