"""Members of a run on Ray killed by SIGKILL at random moments: does every run end as an undisturbed one?

    python -m benchmarks.actor_kills [KILLS [SEED]]

Small runs, one after the other, in bank and live in turns, with a head that is retrained by a Ray Train job
on the way. While one goes on, a process of a kind drawn at random (camera shard, decoder server, registry;
one time in two a worker of the training job where there is one, twice a run at most) is killed: mostly up to
three seconds after all were there, one time in four right after the death before, twenty times a run at most,
until there were KILLS (200) in all. Then three runs have their driver killed, with all its actors, and are
resumed. Each must end with the digest of a run in process that nothing disturbed, and leave a registry in
which every version verifies; every run checks of itself that offered = answered + dropped + in flight. The
figures are the last line.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from fleet_sim.basics.machine import machine
from fleet_sim.registry import Registry
from fleet_sim.report.view import View
from fleet_sim.run import run
from fleet_sim.scenario import dump_scenario, load_scenario

SCENARIO = Path(__file__).parents[1] / "scenarios" / "bandlimited.yaml"
SMALL = [
    "duration_us=40 s",
    "audit=0.02",
    "codec.width=4",
    "codec.neurons=16",
    "codec.ladder=[2,6,16]",
    "train.recipe=e2e",
    "train.e2e.epochs=2",
    "train.head_training.epochs=20",
    "train.heads=[{name: ce, kind: ce}]",
    "train.retrain=[{at_us: 5 s, head: {name: fresh, kind: kl}, frames: 400, labelled: 1, delay_us: 1 s}]",
    "fleet.cameras=60",
    "fleet.cells=6",
    "sweep={}",
    "serving.servers=2",
    "cluster.shards=2",
    "cluster.epoch_us=100 ms",
]
TRAINER, MOST_TRAINERS = "training worker", 2  # a job starts over twice at most
KINDS = {
    "CameraShard": "shard",
    "DecoderServer": "server",
    "ModelRegistry": "registry",
    "RayTrainWorker": TRAINER,
}
WHOLE = {"shard": 2, "server": 2, "registry": 1}
MARK = "FLEET_SIM_ACTOR_KILLS"  # in the environment of our processes, and of nobody else's
RESUMES = 3
MOST_A_RUN = 20


def victims(mark: str) -> Iterator[tuple[str, int]]:
    """(kind, process) of every member and training worker of this benchmark's cluster."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            title = (place / "cmdline").read_bytes().split(b"\0")[0].decode()
            ours = f"{MARK}={mark}".encode() in (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended in the meantime, or is not ours to look at
        kind = KINDS.get(title.removeprefix("ray::").split(".")[0])
        if ours and title.startswith("ray::") and kind is not None:
            yield kind, int(place.name)


class Killer(threading.Thread):
    """Kills until it is told to stop, or has killed enough."""

    def __init__(self, mark: str, draws: random.Random, most: int):
        super().__init__(daemon=True)
        self.mark, self.draws, self.most = mark, draws, most
        self.killed, self.over = Counter[str](), threading.Event()

    def run(self) -> None:
        """Wait, draw a kind of those that are there, then one of that kind."""
        at_once = False
        while self.killed.total() < self.most and not self.over.wait(0.1):
            by_kind: dict[str, list[int]] = {}
            for kind, pid in victims(self.mark):
                by_kind.setdefault(kind, []).append(pid)
            if not at_once and any(len(by_kind.get(kind, ())) < most for kind, most in WHOLE.items()):
                continue
            waited_s = self.draws.uniform(0, 0.3 if at_once or TRAINER in by_kind else 3)
            if not by_kind or self.over.wait(waited_s):
                continue
            kind = self.draws.choice(sorted(by_kind))
            if TRAINER in by_kind and self.killed[TRAINER] < MOST_TRAINERS and self.draws.random() < 0.5:
                kind = TRAINER
            elif kind == TRAINER:
                continue
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(self.draws.choice(sorted(by_kind[kind])), signal.SIGKILL)
                self.killed[kind] += 1
            at_once = self.draws.random() < 0.25


def outcome(folder: Path) -> dict[str, Any]:
    """What a finished run says of itself, its registry verified."""
    registry = Registry(folder / "models")
    for version in registry.names():
        registry.verify(version)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    return summary


def quiet() -> View:
    """A view that nobody sees."""
    return View(Console(file=StringIO()))


def resumed(scenario: Path, out: Path, address: str, wait_s: float) -> str:
    """The digest of a run whose driver was killed so long after it had begun to simulate."""
    command = [sys.executable, "-c", "from fleet_sim.cli import main; main()", "run"]
    begun = [*command, str(scenario), "--out", str(out), "--address", address]
    driver = subprocess.Popen(begun, stdout=subprocess.DEVNULL)
    while not list(out.glob("*/scenario.yaml")):
        time.sleep(0.05)
    time.sleep(wait_s)
    driver.kill()
    driver.wait()
    (folder,) = out.iterdir()
    subprocess.run([*command, "--resume", str(folder), "--address", address], check=True, stdout=sys.stderr)
    return str(outcome(folder)["digest"])


def main(kills: int, seed: int) -> None:
    """Print one JSON line."""
    began_s, mark = time.monotonic(), uuid.uuid4().hex
    os.environ[MARK] = mark
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        base = load_scenario(SCENARIO, [*SMALL, "cluster.backend=local"])
        reference = run(base, root / "reference", quiet())
        wanted, use = outcome(reference)["digest"], f"train.use={reference / 'models'}"
        # Not nice: else whatever the machine does besides comes first.
        head = {"num_cpus": 8, "include_dashboard": False, "_system_config": {"worker_niceness": 0}}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        on_ray = [*SMALL, use, "cluster.backend=ray", f"cluster.address={cluster.address}"]
        killed, digests, restarts, failures = Counter[str](), list[str](), 0, list[str]()
        while killed.total() < kills:
            number = len(digests) + len(failures)
            scenario = load_scenario(SCENARIO, [*on_ray, f"mode={('bank', 'live')[number % 2]}"])
            most = min(MOST_A_RUN, kills - killed.total())
            killer = Killer(mark, random.Random(seed + number), most)
            killer.start()
            try:
                summary = outcome(run(scenario, root / str(number), quiet()))
                digests.append(summary["digest"])
                restarts += summary["restarts"]
            except Exception as error:  # noqa: BLE001 - whatever ends a run is what we look for
                failures.append(repr(error)[:500])
            killer.over.set()
            killer.join()
            killed += killer.killed
            print(number, dict(killed), digests[-1:] == [wanted], failures, file=sys.stderr, flush=True)
        again = root / "again.yaml"
        again.write_text(dump_scenario(load_scenario(SCENARIO, [*SMALL, use, "cluster.backend=ray"])))
        waits_s = [random.Random(seed + i).uniform(0, 12) for i in range(RESUMES)]
        after = [
            resumed(again, root / f"resumed-{i}", cluster.address, wait_s) for i, wait_s in enumerate(waits_s)
        ]
        ray.shutdown()
        cluster.shutdown()
    figures = {
        "kills": killed.total(),
        "by_kind": dict(killed),
        "runs": len(digests) + len(failures),
        "with_undisturbed_digest": digests.count(wanted),
        "failures": failures,
        "restarts_noticed": restarts,
        "drivers_killed": RESUMES,
        "resumed_to_undisturbed_digest": after.count(wanted),
        "wall_s": round(time.monotonic() - began_s),
    }
    print(json.dumps({**figures, "machine": machine("cpu")}))


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else 200, given[1] if len(given) > 1 else 1)
