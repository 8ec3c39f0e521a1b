"""Training under Ray Train against a bare PyTorch loop of the same step.

    python -m benchmarks.training

A job of `trainers.job` trains E2E on random images of CIFAR-10's shape at width 16, with all that comes with
it: stages, progress, a checkpoint an epoch. Beside it a plain loop in this process computes the same step.
They take turns, an epoch each, so that both see the same machine. Rates are medians over `n` epochs of each
after a first that does not count, `ratio` is the median of the ratios of neighbours; in processor seconds of
the process, so that neighbours on the machine count little, and beside them on the wall clock. One thread.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import ray
import torch
from numpy.typing import NDArray

from fleet_sim.basics.machine import machine
from fleet_sim.codec.quantiser import add_noise
from fleet_sim.data import load
from fleet_sim.registry import Registry
from fleet_sim.scenario.scenario import Scenario
from trainers import networks
from trainers.augment import augment
from trainers.job import train_on_ray
from trainers.sameness import deterministic, draws

IMAGES, EPOCHS = 6_000, 9

Spent = NDArray[np.float64]
"""Wall seconds, processor seconds of this process."""


def now() -> Spent:
    """Both clocks."""
    return np.array([time.perf_counter(), time.process_time()])


@ray.remote(num_cpus=0)
class Turns:
    """Whose epoch it is, and how long those of the job took."""

    def __init__(self) -> None:
        self._job_may_go = False
        self._spent: list[Spent] = []

    def give_job_a_turn(self) -> None:
        """Let the job train an epoch."""
        self._job_may_go = True

    def job_may_go(self) -> bool:
        """True once after `give_job_a_turn`."""
        may_go, self._job_may_go = self._job_may_go, False
        return may_go

    def job_epoch(self, spent: Spent) -> None:
        """An epoch of the job is over."""
        self._spent.append(spent)

    def spent(self) -> list[Spent]:
        """By all epochs of the job so far."""
        return self._spent


class WaitForTurn:
    """The job's progress: called in its worker before the first epoch and after each."""

    def __init__(self, turns: "ray.actor.ActorHandle[Turns]") -> None:
        self._turns = turns
        self._epochs, self._began = -1, now()

    def __call__(self, stage: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Report the epoch that ends and wait before the next."""
        if stage != "e2e" or done == self._epochs:
            return
        if done:
            ray.get(self._turns.job_epoch.remote(now() - self._began))
        while done < total and not ray.get(self._turns.job_may_go.remote()):
            time.sleep(0.05)
        self._epochs, self._began = done, now()


class BareLoop:
    """The step of E2E training as one writes it for a single use."""

    def __init__(self, scenario: Scenario) -> None:
        dataset = load(scenario.data, scenario.seed)
        self.images = torch.from_numpy(dataset.train_images_NHWC)
        self.labels = torch.from_numpy(dataset.train_labels_N)
        self.nets = networks.build(scenario, len(dataset.class_names), torch.device("cpu"))
        parameters = [*self.nets.encoder.parameters(), *self.nets.decoder.parameters()]
        self.optimiser = torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=5e-4)
        self.generator = draws(scenario.seed, "bare loop")
        self.batch = scenario.train.e2e.batch

    def epoch(self) -> Spent:
        """What one pass over the images takes."""
        began = now()
        total_loss = 0.0
        order = torch.randperm(len(self.labels), generator=self.generator)
        for start in range(0, len(order), self.batch):
            index = order[start : start + self.batch]
            pixels = augment(self.images[index], 4, True, self.generator).permute(0, 3, 1, 2).float() / 255
            noise = torch.rand(len(index), 128, generator=self.generator)
            logits = self.nets.logits(add_noise(self.nets.latent(pixels), noise, 1.0))
            loss = torch.nn.functional.cross_entropy(logits, self.labels[index])
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            total_loss += loss.item()
        return now() - began


def scenario_of(folder: Path) -> Scenario:
    """A little E2E training on random images, which it writes below `folder`."""
    drawn = np.random.default_rng(1)
    count = {"train": IMAGES * 10 // 9, "test": 10}
    arrays = {f"{part}_images": drawn.integers(0, 256, (n, 32, 32, 3), np.uint8) for part, n in count.items()}
    labels = {f"{part}_labels": drawn.integers(0, 10, n) for part, n in count.items()}
    np.savez(folder / "images.npz", **arrays, **labels)  # type: ignore[arg-type]
    return Scenario.model_validate(
        {
            "name": "training",
            "data": {"source": "npz", "path": folder / "images.npz"},
            "codec": {"width": 16},
            "train": {
                "recipe": "e2e",
                "e2e": {"epochs": EPOCHS + 1, "batch": 200},
                "heads": [{"name": "ce", "kind": "ce"}],
                "head_training": {"epochs": 1},
                "precision": "bfloat16",
            },
        }
    )


def main() -> None:
    """Print the JSON line."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="warning")
    with tempfile.TemporaryDirectory() as name:
        scenario = scenario_of(Path(name))
        turns = Turns.remote()  # type: ignore[attr-defined]
        bare_spent: list[Spent] = []

        @ray.remote(num_cpus=0)  # type: ignore[untyped-decorator]
        def job() -> None:
            publish = Registry(Path(name) / "models").publish
            train_on_ray(scenario, ("e2e",), Path(name) / "training", publish, WaitForTurn(turns))

        running = job.remote()
        with deterministic(scenario.train.threads):
            bare = BareLoop(scenario)
            for epoch in range(EPOCHS + 1):
                bare_spent.append(bare.epoch())
                ray.get(turns.give_job_a_turn.remote())
                while len(ray.get(turns.spent.remote())) == epoch:
                    if ray.wait([running], timeout=0.05)[0]:
                        ray.get(running)  # raises what ended it
        job_spent = np.array(ray.get(turns.spent.remote())[1:])
        ray.get(running)
    bare_over_job = np.array(bare_spent[1:]) / job_spent
    wall_ratio, ratio = np.median(bare_over_job, axis=0).tolist()
    job_wall_rate, job_rate = IMAGES / np.median(job_spent, axis=0)
    bare_wall_rate, bare_rate = IMAGES / np.median(bare_spent[1:], axis=0)
    result = {
        "benchmark": "training",
        "images_per_s": round(job_rate),
        "bare_loop_images_per_s": round(bare_rate),
        "ratio": round(ratio, 3),
        "images_per_wall_s": round(job_wall_rate),
        "bare_loop_images_per_wall_s": round(bare_wall_rate),
        "wall_ratio": round(wall_ratio, 3),
        "n": EPOCHS,
        "machine": machine("cpu"),
    }
    ray.shutdown()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
