"""A small subject and a way to do steps in this process."""

import pytest

from fleet_sim.data import load
from trainers.reproduce.pool import in_order
from trainers.reproduce.store import Store, Subject


@pytest.fixture
def subject(scenario):
    """make(seed, **train fields) -> Subject of made-up images."""

    def make(seed=1, corruption=0.0, **train) -> Subject:
        made = scenario(**train)
        data = made.data.model_copy(update={"corruption": corruption})
        images = load(made.data, seed=0).content_hash
        return Subject(made.model_copy(update={"seed": seed, "data": data}), images)

    return make


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def do(store):
    """do(targets): what is missing, one after the other."""

    def run(targets) -> Store:
        for step in in_order(targets, store):
            store.do(step, lambda part, done, total, figures: None)
        return store

    return run
