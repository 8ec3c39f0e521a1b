"""What all tests share. Property tests take no account of time: their first example may compile a step."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from main_job import quiet, small

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def keys(tmp_path_factory):
    """A folder of keys for these tests, that no user's own is touched."""
    folder = tmp_path_factory.mktemp("keys")
    os.environ["FLEET_SIM_KEYS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small main job that nothing disturbed."""
    from fleet_sim.run import run  # here, since it takes torch, for which only some tests should wait

    return run(small(), tmp_path_factory.mktemp("reference"), quiet())


@pytest.fixture(scope="session")
def models(reference: Path) -> str:
    """Its trained versions, as an override that uses them."""
    return f"train.use={reference / 'models'}"
