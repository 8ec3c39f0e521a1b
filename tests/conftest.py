"""What all tests share. Property tests take no account of time: their first example may compile a step."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

RAY = {
    "tests/cluster/test_metrics.py",
    "tests/cluster/test_nodes.py",
    "tests/cluster/test_ray_fleet.py",
    "tests/test_main_job.py",
    "tests/test_updates_resumed.py",
    "tests/trainers/test_job.py",
}

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Two processes that compile the same function for different types at once may spoil numba's cache.
    os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[1] / ".pytest_cache" / f"numba-{worker}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With several workers a file's tests share one, as they share fixtures; so do all that start Ray."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "ray" if file in RAY else file

    return ByFile(config, log)


@pytest.fixture(autouse=True, scope="session")
def keys(tmp_path_factory):
    """A folder of keys for these tests, that no user's own is touched."""
    folder = tmp_path_factory.mktemp("keys")
    os.environ["FLEET_SIM_KEYS"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small main job that nothing disturbed."""
    from main_job import quiet, small  # here, since it takes torch, for which only some tests should wait

    from fleet_sim.run import run

    return run(small(), tmp_path_factory.mktemp("reference"), quiet())


@pytest.fixture(scope="session")
def models(reference: Path) -> str:
    """Its trained versions, as an override that uses them."""
    return f"train.use={reference / 'models'}"
