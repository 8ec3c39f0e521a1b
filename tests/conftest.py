"""Property tests take no account of time: the first example of one may compile a step."""

import os

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def keys(tmp_path_factory):
    """A folder of keys for these tests, that no user's own is touched."""
    folder = tmp_path_factory.mktemp("keys")
    os.environ["FLEET_SIM_KEYS"] = str(folder)
    return folder
