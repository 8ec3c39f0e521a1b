"""Other questions about the same images: classes put together under fewer names."""

from dataclasses import replace
from typing import Literal

import numpy as np

from fleet_sim.basics.errors import UserError
from fleet_sim.data.dataset import Labelled

GroupName = Literal["coarse", "animals"]

GROUPS: dict[GroupName, dict[str, str]] = {
    # The superclasses that CIFAR-100 comes with (Krizhevsky 2009).
    "coarse": {
        "aquatic_mammals": "beaver dolphin otter seal whale",
        "fish": "aquarium_fish flatfish ray shark trout",
        "flowers": "orchid poppy rose sunflower tulip",
        "food_containers": "bottle bowl can cup plate",
        "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
        "household_electrical_devices": "clock keyboard lamp telephone television",
        "household_furniture": "bed chair couch table wardrobe",
        "insects": "bee beetle butterfly caterpillar cockroach",
        "large_carnivores": "bear leopard lion tiger wolf",
        "large_man-made_outdoor_things": "bridge castle house road skyscraper",
        "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
        "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
        "medium_mammals": "fox porcupine possum raccoon skunk",
        "non-insect_invertebrates": "crab lobster snail spider worm",
        "people": "baby boy girl man woman",
        "reptiles": "crocodile dinosaur lizard snake turtle",
        "small_mammals": "hamster mouse rabbit shrew squirrel",
        "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
        "vehicles_1": "bicycle bus motorcycle pickup_truck train",
        "vehicles_2": "lawn_mower rocket streetcar tank tractor",
    },
    "animals": {
        "animal": "bird cat deer dog frog horse",
        "machine": "airplane automobile ship truck",
    },
}


def grouped(labelled: Labelled, name: GroupName) -> Labelled:
    """`labelled` with the groups of `name` as its classes, in the order given here.

    Raises UserError when its classes are not exactly those of the groups.
    """
    group_of = {one: group for group, members in GROUPS[name].items() for one in members.split()}
    if set(group_of) != set(labelled.class_names):
        stray = sorted(set(group_of) ^ set(labelled.class_names))
        raise UserError(
            f"data.labels: '{name}' is for the classes {', '.join(sorted(group_of)[:3])}, ...; "
            f"those of {labelled.origin} differ in {', '.join(stray[:3])}{', ...' if len(stray) > 3 else ''}"
        )
    names = tuple(GROUPS[name])
    group_K = np.array([names.index(group_of[one]) for one in labelled.class_names], dtype=np.int64)
    return replace(
        labelled,
        train_labels_N=group_K[labelled.train_labels_N],
        test_labels_N=group_K[labelled.test_labels_N],
        class_names=names,
    )
