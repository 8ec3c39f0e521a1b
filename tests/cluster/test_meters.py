"""Cameras with a processor: frames it has no time for are dropped as busy, and what it does adds up."""

from pathlib import Path

import numpy as np
import pytest
from small_fleet import simulated, tiny_scenario

from fleet_sim.basics.errors import UserError
from fleet_sim.camera.energy import Did, total
from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.cluster.host import LocalHost
from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import Counts
from fleet_sim.report.energy import energy_figures
from fleet_sim.scenario import Scenario
from fleet_sim.scenario.work import camera_work, radio_of, rates_of

RADIO = {"pj_per_bit": 8_000_000, "wake_nj": 144_000_000}


def scenario(**fields: object) -> Scenario:
    return tiny_scenario(camera={"device": "microcontroller", "radio": RADIO}, **fields)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load(scenario().data, 1)


def counted(here: Scenario, dataset: Dataset, folder: Path) -> Counts:
    host = LocalHost()
    _, counts = simulated(host, here, dataset, folder)
    host.close()
    return counts


@pytest.mark.parametrize("shards", [1, 3])
def test_cameras_add_up_to_what_the_fleet_counted(shards: int, dataset: Dataset, tmp_path: Path) -> None:
    cluster = {"backend": "local", "shards": shards, "epoch_us": "700 ms"}
    loss = {"budget_bps": "6 kbit/s", "buffer_bytes": 300, "mtu_bytes": 64, "retries": 1}
    link = {**loss, "loss": {"kind": "bernoulli", "p": 0.2}}
    here = scenario(cluster=cluster, link=link)
    counts = counted(here, dataset, tmp_path)
    whole, total_C = total(counts.did_R4), counts.total_C
    assert counts.did_R4.shape == (here.fleet.cameras, len(Did._fields))
    assert whole.wire_bits == total_C[c.WIRE_BITS]
    unready = int(total_C[c.OFFERED]) - whole.encoded
    assert 0 <= unready <= here.fleet.cameras  # captured in the last moments, not encoded yet
    assert total_C[c.SENT] <= whole.wakes <= total_C[c.PACKETS]
    rates = rates_of(here, 10)
    assert rates is not None
    figures = energy_figures(counts, fleet_of(here, 40, classes=10), rates, 5.0, radio_of(here).eur_per_mb)
    rows = [rates.picojoules(Did(*map(int, row)), 1, here.duration_us) for row in counts.did_R4]
    assert figures["picojoules"] == {name: sum(row[name] for row in rows) for name in rows[0]}


def test_a_camera_that_cannot_keep_its_rate_drops_frames_as_busy(dataset: Dataset, tmp_path: Path) -> None:
    codec = {"depth": "tiny", "width": 16, "neurons": 16, "ladder": [1, 4, 16], "batch": 16}
    work = camera_work(scenario(codec=codec), 10).multiply_adds
    encode_us = -(-work * 1_000_000 // 125_000_000)
    fleet = {"cameras": 20, "cells": 5, "frame_period_us": encode_us * 2 // 5}
    link = {"budget_bps": "1 Mbit/s", "buffer_bytes": 3000}
    here = scenario(codec=codec, fleet=fleet, duration_us="2 s", link=link)
    counts = counted(here, dataset, tmp_path)
    # In 2.5 periods of work two captures find the processor busy: one frame in three is encoded.
    offered, busy = int(counts.total_C[c.OFFERED]), int(counts.total_C[c.DROPPED_BUSY])
    assert busy / offered == pytest.approx(2 / 3, abs=0.02)
    apart = np.ptp(counts.did_R4[:, Did._fields.index("encoded")])
    assert apart <= 1


def test_a_fast_camera_is_never_busy_and_its_work_is_in_the_latency(dataset: Dataset, tmp_path: Path) -> None:
    counts = counted(scenario(), dataset, tmp_path)
    assert counts.total_C[c.DROPPED_BUSY] == 0
    encode_us = fleet_of(scenario(), 40, classes=10).encode_us
    assert 0 < encode_us != tiny_scenario().fleet.encode_us
    assert counts.total_C[c.LATENCY_US_SUM] >= counts.total_C[c.ANSWERED] * encode_us


def test_a_network_too_large_for_the_device_is_refused() -> None:
    codec = {"depth": "resnet18", "width": 64, "neurons": 128, "ladder": [1, 128]}
    large = scenario(codec=codec, train={"heads": [{"name": "plain", "kind": "ce"}]})
    assert rates_of(large, 10) is not None  # the encoder alone has room
    whole = large.model_copy(update={"camera": large.camera.model_copy(update={"codec": "label"})})
    with pytest.raises(UserError, match=r"has room for 1,000,000 weights of 8 bits; to send a label takes"):
        rates_of(whole, 10)
