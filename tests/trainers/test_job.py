"""The Ray Train job gives what training without Ray gives."""

import os

import pytest
import ray

from fleet_sim.basics.errors import UserError
from fleet_sim.codec.tables import Tables
from fleet_sim.registry.lessons import Lessons
from trainers.job import retrain_on_ray, train_on_ray
from trainers.local import train_locally
from trainers.retrain import retrain
from trainers.train import CHAIN

SVM_ONLY = [{"name": "svm", "kind": "svm"}]


@pytest.fixture
def cluster():
    """A Ray cluster of two processors on this machine."""
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def silent(stage, done, total, figures):
    pass


class KillOnce:
    """Ends the training process after the second epoch, the first time it gets there."""

    def __init__(self, mark):
        self.mark = mark

    def __call__(self, stage, done, total, figures):
        if (stage, done) == ("e2e", 2) and not self.mark.exists():
            self.mark.touch()
            os._exit(1)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("cluster")
def test_ray_releases_the_same_versions_though_a_worker_died_and_refuses_once(
    scenario, registry, received, tmp_path
):
    # Two in one test, since a cluster takes seconds to start.
    spec = scenario()
    here = train_locally(spec, CHAIN["duphil"], tmp_path / "local", registry.publish, silent)
    killer = KillOnce(tmp_path / "killed")
    assert train_on_ray(spec, CHAIN["duphil"], tmp_path / "ray", registry.publish, killer) == here
    assert killer.mark.exists()

    retrained = {"at_us": "1 s", "head": {"name": "fresh", "kind": "ce"}}
    spec, encoder = scenario(retrain=[retrained]), registry.load(here.encoder)
    tables = Tables.from_arrays(encoder.tensors["tables"])
    lessons = Lessons(received(tables), encoder, registry.load(here.heads["ce"]))
    again = retrain_on_ray(spec, 0, lessons, tmp_path / "ray", registry.publish, silent)
    assert again == retrain(spec, 0, lessons, registry.publish, silent)

    diverging = scenario(e2e={"epochs": 1, "batch": 20, "learning_rate": 1e30}, heads=SVM_ONLY)
    with pytest.raises(UserError, match="training diverged"):
        train_on_ray(diverging, ("e2e",), tmp_path / "diverging", registry.publish, silent)
