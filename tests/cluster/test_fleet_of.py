"""What a scenario says of cameras and links is what the engine is told."""

from typing import Any

from fleet_sim.cluster.epochs import fleet_of
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.engine.captures import BURSTS, PERIODIC, POISSON
from fleet_sim.engine.fleet import Fleet
from fleet_sim.network.build import link_of
from fleet_sim.network.link import ALOHA, FIFO
from fleet_sim.scenario import Scenario


def fleet(**fields: Any) -> Fleet:
    return fleet_of(Scenario.model_validate({"name": "x", **fields}), scenes=5)


def test_a_plain_fleet() -> None:
    plain = fleet()
    assert (plain.cameras, plain.cells, plain.capture, plain.scenes) == (1000, 10, PERIODIC, 5)
    assert plain.message_header_bytes == HEADER_BYTES
    assert plain.link.budget_bps == 100_000


def test_captures_at_random_and_in_bursts() -> None:
    assert fleet(fleet={"capture": {"kind": "poisson"}}).capture == POISSON
    bursts = {"kind": "bursts", "events_per_h": 900, "event_us": "20 s", "burst_period_us": "200 ms"}
    passing = fleet(fleet={"capture": {**bursts, "spread_us": "3 s"}})
    assert passing.capture == BURSTS
    assert (passing.event_us, passing.burst_period_us) == (20_000_000, 200_000)
    # 900 events an hour: one in four of the slots of a second.
    assert passing.event_threshold / 2**32 * 3_600_000_000 / passing.event_slot_us == 900
    assert passing.spread_us == 3_000_001  # draws lie below it


def test_dedicated_links_and_profiles() -> None:
    own = fleet(fleet={"cameras": 70}, link={"profile": "ethernet"})
    assert (own.cells, own.link.sharing) == (70, FIFO)
    lora = fleet(link={"profile": "lorawan-eu868-dr2"}).link
    wanted = link_of(Scenario.model_validate({"name": "x", "link": {"profile": "lorawan-eu868-dr2"}}).link)
    assert lora.sharing == ALOHA
    assert lora.airtime_us_B.tolist() == wanted.airtime_us_B.tolist()
