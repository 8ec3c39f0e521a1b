"""Publishers killed by SIGKILL at random moments: what readers find, and whether others finish the work.

    python -m benchmarks.kills

A process publishes one version after another, each of 200 kB in three files, and deploys it; it is killed
after 1 to 120 ms. A reader then verifies every version there, and the next process starts anew with the
first. `n` kills. At the end the folder must hold what an undisturbed publisher leaves: `same_as_undisturbed`.
"""

import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from fleet_sim.basics.machine import machine
from fleet_sim.registry import Keys, Registry
from fleet_sim.registry.deployment import deploy, deployed
from fleet_sim.registry.drafts import clear_drafts

KILLS, VERSIONS = 200, 20


def publish_all(folder: Path, started: Connection | None = None) -> None:
    """Publish and deploy every version, an encoder and its head each."""
    registry, draws = Registry(folder / "models", Keys(folder / "keys")), np.random.default_rng(0)
    if started is not None:
        started.send("began")
    for n in range(VERSIONS):
        manifest = {"contract_hash": f"{n:02}"}
        tensors = {name: {"w": draws.standard_normal(12_500)} for name in ("weights", "tables")}
        encoder = registry.publish("encoder", manifest, tensors)
        deploy(registry, encoder, [registry.publish("head", manifest, {"weights": {"w": draws.random(9)}})])


def main() -> None:
    """Print one JSON line."""
    wait_s, fork = random.Random(1), multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as place:
        whole, folder = Path(place) / "whole", Path(place) / "killed"
        publish_all(whole)
        seen = list[int]()
        for _ in range(KILLS):
            here, there = fork.Pipe()
            publisher = fork.Process(target=publish_all, args=(folder, there))
            publisher.start()
            here.recv()
            time.sleep(wait_s.uniform(0.001, 0.12))
            if publisher.pid is not None:
                os.kill(publisher.pid, signal.SIGKILL)
            publisher.join()
            registry = Registry(folder / "models", Keys(folder / "keys"))
            for version in registry.names():
                registry.verify(version)  # raises where a reader sees anything but a whole version
            in_field = deployed(registry)
            for version in in_field.encoders | in_field.heads:
                registry.verify(version)
            seen.append(len(registry.names()))
        publish_all(folder)
        left, wanted = (Registry(f / "models", Keys(f / "keys")) for f in (folder, whole))
        same = [v.id for v in left.list()] == [v.id for v in wanted.list()] and deployed(left) == deployed(
            wanted
        )
        cleared = clear_drafts(left.root)
    figures = {
        "n": KILLS,
        "versions_seen_whole": sum(seen),
        "kills_that_left_a_draft": cleared,
        "same_as_undisturbed": same,
    }
    print(json.dumps({**figures, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
