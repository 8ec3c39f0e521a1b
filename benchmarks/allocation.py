"""Who of a crowded cell gets the bits: allocations compared on CIFAR-10, messages really coded.

`python -m benchmarks.allocation --data FILE.npz`. FILE.npz has the images, as `data.path` of
scenarios/cifar10.yaml wants them. The fleet is that of scenarios/congested_cell.yaml: cells of forty cameras
that differ in frame rate, scenes, importance and rate on air, under the weights of the package. Each cell
carries half of what its cameras would like: all frames at the top of their hull. Seeds are other images, in
another order; all policies see the same. Settings were chosen on seeds 0 to 4, none of which is here.

`by_importance` weighs frames as groups weigh them, which is what `marginal` maximises. `least_of_floor`: of
all cameras and seeds the least that a camera had on air, as a share of what its floor came to a deadline
before the end, since its last message may be under way for that long. `marginal_ahead`: by how much marginal
beats a policy, the mean of the paired differences and half its 95 % interval over seeds. An answer counts
whose message is through in time; servers take no time here.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fleet_sim.basics.machine import machine
from fleet_sim.basics.statistics import half_width, mean
from fleet_sim.cluster.bank import BankPart
from fleet_sim.cluster.calibration import Calibration, Curves
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.knowledge import Knowledge
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.scenes import Scenes, scenes_of
from fleet_sim.cluster.sends import LATENTS
from fleet_sim.cluster.server import DecoderServer
from fleet_sim.cluster.shard import CameraShard
from fleet_sim.control.hull import hulls_of
from fleet_sim.data.load import load
from fleet_sim.data.weather import seen
from fleet_sim.engine.answers import scenes_of as scenes_seen
from fleet_sim.engine.best import best_of
from fleet_sim.engine.cameras import expected_wire_bits
from fleet_sim.engine.fleet import Fleet
from fleet_sim.engine.groups import groups_of_cameras
from fleet_sim.engine.orders import Known
from fleet_sim.registry import shipped
from fleet_sim.scenario import Scenario, load_scenario

FIRST_SEED, SEEDS, DURATION_US = 100, 20, 240_000_000
SCENARIO = Path(__file__).parents[1] / "scenarios" / "congested_cell.yaml"
POLICIES = {
    "equal": ("equal", "budget"),
    "equal, value": ("equal", "value"),
    "max_min": ("max_min", "budget"),
    "marginal": ("marginal", "budget"),
}


class Bank(NamedTuple):
    """What is known of scenes and validation images before any frame is sent."""

    scenes: Scenes
    part: BankPart
    mean_payload_bits_L: np.ndarray
    calibration: Calibration
    curves: Curves
    estimate_HFL: np.ndarray  # as cameras estimate, which know nothing of fog
    knowledge: Knowledge


def bank_of(scenario: Scenario) -> Bank:
    dataset = load(scenario.data, scenario.seed)
    scenes, registry = scenes_of(dataset, scenario), shipped.opened(shipped.FOLDER)
    found = registry.list()
    encoder = next(summary.id for summary in found if summary.kind == "encoder")
    head = next(s.id for s in found if s.kind == "head" and s.manifest["head"]["name"] == "ce")
    server = DecoderServer(0, scenario.codec, "cpu")
    server.see(scenes.images_FHWC, scenes.labels_F)
    server.add_version(registry.load(encoder), registry.load(head))
    part = server.bank_part(0, len(scenes.labels_F), 0, LATENTS, scenes.images)[1]
    images_FHWC, labels_F = scenes.validation
    calibrations, worth, curves = [], [], {}
    for look, kind in enumerate(scenes.looks):
        images = seen(images_FHWC, kind, scenario.seed)
        calibrations.append(server.calibrate(0, LATENTS, images, labels_F, True))
        worth.append(server.estimate(0, calibrations[-1], look * scenes.images, (look + 1) * scenes.images))
        for group, stage in enumerate(scenes.first_seen_G):
            if stage.look == look:
                curves[group] = server.curves(0, LATENTS, images, labels_F, stage.shares_K[None])
    ordered = [curves[group] for group in range(len(curves))]
    return Bank(
        scenes,
        part,
        registry.load(encoder).tensors["tables"]["mean_payload_bits_L"],
        calibrations[0],
        Curves(
            np.concatenate([one.payload_bits_GL for one in ordered]),
            np.concatenate([one.right_GHL for one in ordered]),
        ),
        server.estimate(0, calibrations[0]),
        Knowledge(part.payload_bytes_LF.T, np.concatenate(worth, axis=1), part.right_HLF),
    )


def wanted_bps(fleet: Fleet, bank: Bank) -> float:
    """What the cameras of a cell would have on air with all frames at the top of their hull."""
    bits_GL = expected_wire_bits(fleet, np.rint(bank.curves.payload_bits_GL).astype(np.int64))
    top_G = hulls_of(bits_GL[None], bank.curves.right_GHL[None, :, 0]).bits_VGH[0].max(axis=1)
    group_R = groups_of_cameras(fleet, np.arange(fleet.cameras))
    each_bps_G = top_G * 1e12 / fleet.groups.frame_period_us_G / fleet.groups.rate_ppm_G
    return float(each_bps_G[group_R].sum() / fleet.cells)


class Run(NamedTuple):
    """What a policy came to with one seed."""

    on_time_accuracy: float
    by_importance: float
    least_of_floor: float


def run_of(bank: Bank, scenario: Scenario, fleet: Fleet) -> Run:
    controller = scenario.control.controller
    shard, observes = CameraShard(0, 1), controller != "budget"
    shard.add_version(
        bank.mean_payload_bits_L,
        bank.part,
        bank.calibration if observes else None,
        bank.estimate_HFL if observes else None,
        bank.curves,
    )
    shard.begin(
        Point(
            fleet=fleet,
            named_cells=(),
            versions=1,
            heads=1,
            live=False,
            servers_of_member=(1,),
            estimates=observes,
            controller=controller,
        )
    )
    delivery = shard.step(fleet.duration_us, Known(np.zeros(1, np.int64)), False)[2]
    sent, scene_M = delivery.by_server[0], scenes_seen(delivery.by_server[0], fleet)
    on_time_M = (sent.arrive_us - sent.capture_us <= fleet.deadline_us) & (sent.arrive_us < fleet.duration_us)
    gained_M = on_time_M & bank.part.right_HLF[0][sent.level, scene_M]
    group_R = groups_of_cameras(fleet, np.arange(fleet.cameras))
    importance_R = fleet.groups.importance_G[group_R]
    offered_R = fleet.duration_us / fleet.groups.frame_period_us_G[group_R]
    payload_M = bank.part.payload_bytes_LF[sent.level, scene_M].astype(np.int64)
    bits_M = expected_wire_bits(fleet, 8 * payload_M[None])[0]
    air_M = bits_M * 1e6 / fleet.groups.rate_ppm_G[group_R[sent.camera]]
    air_R = np.bincount(sent.camera, air_M, fleet.cameras)
    part_bits = fleet.link.budget_bps * fleet.headroom_ppm / 1e6 * fleet.cells / fleet.cameras
    floor_bits = scenario.control.floor * part_bits * (fleet.duration_us - fleet.deadline_us) / 1e6
    return Run(
        float(gained_M.sum() / offered_R.sum()),
        float((gained_M * importance_R[sent.camera]).sum() / (offered_R * importance_R).sum()),
        float(air_R.min() / floor_bits),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    asked = parser.parse_args()

    def scenario_of(*settings: str) -> Scenario:
        return load_scenario(SCENARIO, [f"data.path={asked.data}", f"duration_us={DURATION_US}", *settings])

    def fleet_at(scenario: Scenario) -> Fleet:
        return fleet_of(scenario, bank.scenes.images, bank.scenes.views, bank.scenes.classes)

    bank = bank_of(scenario_of())
    like_bps = wanted_bps(fleet_at(scenario_of()), bank)
    budget = f"link.budget_bps={round(like_bps / 2)}"
    runs: dict[str, list[Run]] = {}
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    for policy, (allocation, controller) in POLICIES.items():
        scenario = scenario_of(budget, f"control.allocation={allocation}", f"control.controller={controller}")
        fleet = fleet_at(scenario)
        runs[policy] = [run_of(bank, scenario, fleet._replace(seed=seed)) for seed in seeds]
    fleet = fleet_at(scenario_of(budget))
    knows = bank.knowledge.of_head(0)
    oracle = [best_of(fleet._replace(seed=seed), knows).on_time_accuracy for seed in seeds]
    rows: list[dict[str, Any]] = []
    for policy, of_seeds in runs.items():
        ahead = [
            m.on_time_accuracy - r.on_time_accuracy for m, r in zip(runs["marginal"], of_seeds, strict=True)
        ]
        rows.append(
            {
                "policy": policy,
                "on_time_accuracy": round(mean([run.on_time_accuracy for run in of_seeds]), 4),
                "by_importance": round(mean([run.by_importance for run in of_seeds]), 4),
                "least_of_floor": round(min(run.least_of_floor for run in of_seeds), 3),
                "share_of_oracle": round(mean([run.on_time_accuracy for run in of_seeds]) / mean(oracle), 4),
                "marginal_ahead": round(mean(ahead), 4),
                "plus_minus": round(half_width(ahead) or 0.0, 4),
            }
        )
    print(
        json.dumps(
            {
                "benchmark": "allocation",
                "wanted_bps": round(like_bps),
                "budget_bps": fleet.link.budget_bps,
                "oracle": round(mean(oracle), 4),
                "rows": rows,
                "n": asked.seeds,
                "machine": machine("cpu"),
            }
        )
    )


if __name__ == "__main__":
    main()
