"""What a head that was retrained on a run's received latents makes of images that no camera ever saw.

    python -m benchmarks.retrain RUN

In a simulation the same images come again and again, so a head that learned from some frames is later asked
about the same images. Here it is asked about the validation images of the run's data set, on which nothing
was trained, in each look that the run's cameras saw: accuracy of the head that answered before, of the
retrained one, and of the retrained one on the scenes of the run, at the highest level.
"""

import json
import sys
from pathlib import Path

import numpy as np

from fleet_sim.basics.machine import machine
from fleet_sim.cluster.scenes import scenes_of
from fleet_sim.cluster.version import Version
from fleet_sim.data.load import load
from fleet_sim.data.weather import seen
from fleet_sim.registry.shipped import opened
from fleet_sim.scenario import load_scenario


def main(run: Path) -> None:
    """Print one JSON line."""
    scenario, registry = load_scenario(run / "scenario.yaml", []), opened(run / "models")
    said = json.loads((run / "summary.json").read_text())
    (encoder,), (fresh, *_) = said["versions"]["encoders"], said["retrained"]
    heads = [registry.load(encoder["heads"][scenario.serving.head]), registry.load(fresh["version"])]
    version = Version(scenario.codec, registry.load(encoder["id"]), heads, "cpu")
    dataset, top = load(scenario.data, scenario.seed), len(scenario.codec.ladder) - 1
    scenes, kept = scenes_of(dataset, scenario), scenario.codec.ladder[top]

    def accuracy(head: int, images: np.ndarray, labels: np.ndarray) -> float:
        return round(float((version.classify(version.see(images)[:, :kept], top, head) == labels).mean()), 4)

    figures = {}
    looks = dict.fromkeys(view.seen for group in scenario.fleet.groups for view in group.sees)
    for look in looks:
        images, labels = dataset.validation_images_NHWC, dataset.validation_labels_N
        own, n = seen(scenes.images_FHWC[: scenes.images], look, scenario.seed), scenes.images
        figures[f"{look.kind} {look.severity}"] = {
            "before": accuracy(0, seen(images, look, scenario.seed), labels),
            "retrained": accuracy(1, seen(images, look, scenario.seed), labels),
            "n": len(labels),
            "retrained, own scenes": accuracy(1, own, scenes.labels_F[:n]),
        }
    print(json.dumps({"looks": figures, "learned_from": fresh["frames"], "machine": machine("cpu")}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
