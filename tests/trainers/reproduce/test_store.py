"""Steps and their store: the same work is never done twice, other work always is."""

import pytest
import safetensors.numpy

from trainers.reproduce.pool import in_order
from trainers.reproduce.training import Train


class Interrupted(Exception):
    pass


def silent(part, done, total, figures):
    pass


def test_a_key_changes_with_all_that_weights_depend_on_and_with_nothing_else(subject):
    key = Train(subject(), "duphil").key
    assert Train(subject(), "duphil").key == key
    others = [
        Train(subject(seed=2), "duphil"),
        Train(subject(corruption=0.2), "duphil"),
        Train(subject(weight_decay=0.1), "duphil"),
        Train(subject(e2e={"epochs": 4, "batch": 20}), "duphil"),
        Train(subject(), "e2e"),
    ]
    assert len({key, *(step.key for step in others)}) == 6
    assert Train(subject(head_training={"epochs": 9}), "duphil").key == key


def test_images_elsewhere_are_the_same_images(subject, tmp_path):
    here = subject()
    moved = here.scenario.data.path.rename(tmp_path / "moved.npz")
    data = here.scenario.data.model_copy(update={"path": moved})
    there = type(here)(here.scenario.model_copy(update={"data": data}), here.images)
    assert Train(there, "e2e").key == Train(here, "e2e").key


def test_needs_come_first_and_once(subject, store):
    targets = [Train(subject(), "duphil"), Train(subject(), "e2e"), Train(subject(seed=2), "duphil")]
    steps = in_order(targets, store)
    assert [(step.kind, step.subject.scenario.seed) for step in steps] == [
        ("e2e", 1),
        ("duphil", 1),
        ("e2e", 2),
        ("duphil", 2),
    ]


def test_what_is_done_is_not_done_again(subject, store, do):
    step = Train(subject(), "e2e")
    do([step])
    found = store.record(step)
    store.tensors(step).write_bytes(b"a second run would refuse this")
    do([step])
    assert store.record(step) == found
    assert found["figures"]["epochs"] == 3 == len(found["figures"]["history"])
    assert found["cpu_s"] > 0


def test_an_interrupted_training_goes_on_to_the_same_weights(subject, store, do, tmp_path):
    step = Train(subject(), "e2e")

    def interrupt(part, done, total, figures):
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        store.do(step, interrupt)
    assert store.record(step) is None
    seen = []
    store.do(step, lambda part, done, total, figures: seen.append(done))
    assert seen[0] == 2
    other = type(store)(tmp_path / "other")
    other.do(step, silent)
    one, two = (safetensors.numpy.load_file(s.tensors(step)) for s in (store, other))
    assert all((one[name] == two[name]).all() for name in one)
