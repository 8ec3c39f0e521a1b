"""A publisher that dies at any moment leaves all of a version or nothing, and another finishes the work."""

import builtins
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fleet_sim.registry import Registry, deployment, store
from fleet_sim.registry.deployment import deploy, deployed

MANIFEST = {"contract_hash": "aa", "recipe": "x"}
FILES = {"weights": {"w": np.arange(12.0)}, "tables": {"ranking_N": np.arange(4)}}
POINTS = 200


class Killed(BaseException):
    """The process is gone: nothing that it does from now on happens."""


class Life:
    """So many steps, a written byte or a call that changes a folder, until the process is killed."""

    def __init__(self, patch: pytest.MonkeyPatch, steps: int):
        self.left, self.taken = steps, 0
        for owner, name in (
            (Path, "mkdir"),
            (Path, "rename"),
            (Path, "replace"),
            (os, "fsync"),
            (shutil, "rmtree"),
        ):
            patch.setattr(owner, name, self._mortal(getattr(owner, name)))
        for module in (store, deployment):
            patch.setattr(module, "open", self._open, raising=False)

    def step(self, most: int = 1) -> int:
        """How many of these steps are lived to see."""
        lived = min(most, self.left)
        self.left, self.taken = self.left - lived, self.taken + lived
        return lived

    def _mortal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def lived(*args: Any, **kwargs: Any) -> Any:
            if not self.step():
                raise Killed
            return call(*args, **kwargs)

        return lived

    def _open(self, *args: Any, **kwargs: Any) -> Any:
        if not self.step():
            raise Killed
        file = builtins.open(*args, **kwargs)  # noqa: SIM115 - it is closed by what stands for it
        write = file.write

        class Mortal:
            def __enter__(self) -> "Mortal":
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> Any:
                return getattr(file, name)

            def write(self, content: bytes) -> None:
                lived = life.step(len(content))
                write(content[:lived])
                if lived < len(content):
                    file.flush()
                    raise Killed

        life = self
        return Mortal()


def lived_through(work: Callable[[], object], steps: int) -> tuple[bool, int]:
    """(whether the work was done before the process was killed, steps that were taken)."""
    with pytest.MonkeyPatch.context() as patch:
        life = Life(patch, steps)
        try:
            work()
        except Killed:
            return False, life.taken
        return True, life.taken


def points(total: int) -> list[int]:
    """All steps where there are few, else those at both ends and some between."""
    return sorted({int(step) for step in np.linspace(0, total - 1, POINTS)})


def test_a_publisher_killed_anywhere_leaves_all_or_nothing(tmp_path: Path) -> None:
    Registry(tmp_path / "first").publish("head", {}, {})  # so that the key is there
    done, total = lived_through(
        lambda: Registry(tmp_path / "whole").publish("encoder", MANIFEST, FILES), 10**9
    )
    assert done
    wanted = Registry(tmp_path / "whole").list()[0].id
    outcomes = set()
    for steps in points(total):
        root = tmp_path / f"killed-{steps}"
        done, _ = lived_through(partial(Registry(root).publish, "encoder", MANIFEST, FILES), steps)
        assert not done
        found = [version.id for version in Registry(root).list()]
        outcomes.add(len(found))
        assert found in ([], [wanted])
        for version in found:
            Registry(root).verify(version)
        assert Registry(root).publish("encoder", MANIFEST, FILES) == wanted
        Registry(root).verify(wanted)
    assert outcomes == {0, 1}
    assert len(points(total)) == POINTS


def test_a_change_of_what_is_deployed_happens_whole_or_not(tmp_path: Path) -> None:
    def prepared(name: str) -> tuple[Registry, str, str]:
        registry = Registry(tmp_path / name)
        encoder = registry.publish("encoder", MANIFEST, FILES)
        return registry, encoder, registry.publish("head", MANIFEST, {})

    registry, encoder, head = prepared("whole")
    done, total = lived_through(lambda: deploy(registry, encoder, [head]), 10**9)
    assert done
    for steps in range(0, total, max(1, total // 40)):
        registry, encoder, head = prepared(f"killed-{steps}")
        done, _ = lived_through(partial(deploy, registry, encoder, [head]), steps)
        assert not done
        assert deployed(registry) in ((frozenset(), frozenset()), (frozenset({encoder}), frozenset({head})))
        assert deploy(registry, encoder, [head]) == (frozenset({encoder}), frozenset({head}))
