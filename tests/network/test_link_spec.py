"""From what a user writes about a link to the numbers that the step wants."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_sim.network import link as constants
from fleet_sim.network.build import link_of
from fleet_sim.network.link import CERTAIN, Link
from fleet_sim.network.lora import time_on_air_us
from fleet_sim.network.profiles import PROFILES
from fleet_sim.network.spec import LinkSpec


def link(**fields: Any) -> Link:
    return link_of(LinkSpec.model_validate(fields))


def test_without_a_word_it_is_the_shared_cell_of_old() -> None:
    plain = link()
    assert (plain.bps, plain.budget_bps, plain.capacity) == (100_000, 100_000, constants.CONSTANT)
    assert (plain.sharing, plain.queue) == (constants.MAX_MIN, constants.DROP_LATE)
    assert (plain.header_bytes, plain.buffer_bytes, plain.propagation_us) == (28, 1500, 20_000)
    off = ("to_bad", "loss_good", "loss_bad", "retries", "jitter_us", "rest_ppm", "fading_us", "length_bytes")
    assert [getattr(plain, name) for name in off] == [0] * len(off)
    assert len(plain.outage_from_us_O) == 0


def test_a_profile_stands_for_what_is_left_out_and_gives_way_to_what_is_written() -> None:
    assert link(profile="lte-m").bps == 375_000
    changed = link(profile="lte-m", budget_bps="10 kbit/s", header_bytes=0)
    assert (changed.bps, changed.header_bytes) == (10_000, 0)
    assert changed.mtu_bytes == link(profile="lte-m").mtu_bytes


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_a_link_and_survives_writing_out(name: str) -> None:
    spec = LinkSpec.model_validate({"profile": name})
    assert LinkSpec.model_validate(spec.model_dump()) == spec
    assert LinkSpec.model_validate(spec.model_dump(mode="json")) == spec
    assert link_of(spec).bps > 0


def test_profiles_rank_as_their_rates_do() -> None:
    order = [f"lorawan-eu868-dr{n}" for n in range(6)]
    order += ["nb-iot-nb1", "nb-iot-nb2", "wifi-halow", "lte-m", "4g", "ethernet"]
    rates_bps = [link(profile=name).bps for name in order]
    assert rates_bps == sorted(set(rates_bps))


@pytest.mark.parametrize(
    ("rate", "spreading_factor", "bit_rate_bps"),
    [(0, 12, 292), (1, 11, 537), (2, 10, 976), (3, 9, 1757), (4, 8, 3125), (5, 7, 5468)],
)
def test_lorawan_is_on_the_air_as_long_as_semtech_says_and_then_rests_99_times_that(
    rate: int, spreading_factor: int, bit_rate_bps: int
) -> None:
    lora = link(profile=f"lorawan-eu868-dr{rate}")
    assert (lora.capacity, lora.sharing, lora.channels) == (constants.AIRTIME, constants.ALOHA, 3)
    assert lora.rest_ppm == 99_000_000
    assert lora.budget_bps == 3 * bit_rate_bps
    largest = lora.mtu_bytes
    assert lora.airtime_us_B[largest] == time_on_air_us(largest, spreading_factor, 125_000, 1, 8)


weights = st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any)


@given(weights, st.integers(10_000, 10**8), st.data())
def test_steps_have_the_budget_as_their_mean(w: list[int], budget_bps: int, data: st.DataObject) -> None:
    times = sorted(data.draw(st.sets(st.integers(1, 10**6), min_size=len(w), max_size=len(w))))
    steps = [{"at_us": at_us, "weight": weight} for at_us, weight in zip([0, *times], w, strict=False)]
    capacity = {"kind": "piecewise", "steps": steps, "repeat_us": times[-1] + 1000}
    built = link(budget_bps=budget_bps, capacity=capacity)
    spans_us = np.diff([*built.at_us_S, built.lap_us])
    mean_bps = Fraction(int((spans_us * built.bps_S).sum()), built.lap_us)
    assert abs(mean_bps - budget_bps) <= Fraction(1, 2)
    assert [bps > 0 for bps in built.bps_S] == [weight > 0 for weight in w]


@given(weights, st.integers(10_000, 10**8), st.data())
def test_a_markov_link_has_the_budget_as_its_mean(w: list[int], budget_bps: int, data: st.DataObject) -> None:
    dwell_us = [data.draw(st.integers(1000, 10**6)) for _ in w]
    capacity = {"kind": "markov", "slot_us": 1000, "weights": w, "dwell_us": dwell_us}
    built = link(budget_bps=budget_bps, capacity=capacity)
    # Which time a state has does not depend on where it goes to, as every other is as likely.
    share_S = np.diff([0, *built.first_S]) / CERTAIN
    np.testing.assert_allclose(share_S, np.array(dwell_us) / sum(dwell_us), atol=1e-9)
    # Rates are whole, and thresholds whole parts of CERTAIN: next to much time at rest rates are high.
    rounded_bps = 1 + built.bps_S.sum() / CERTAIN
    assert (share_S * built.bps_S).sum() == pytest.approx(budget_bps, abs=rounded_bps)
    stay_S = np.diff(np.concatenate([np.zeros((len(w), 1)), built.next_SS], axis=1)).diagonal() / CERTAIN
    np.testing.assert_allclose(stay_S, 1 - 1000 / np.array(dwell_us), atol=1e-9)


def test_losses_are_thresholds_with_netems_meaning() -> None:
    half, quarter = CERTAIN // 2, CERTAIN // 4
    bernoulli = link(loss={"kind": "bernoulli", "p": 0.25})
    assert (bernoulli.to_bad, bernoulli.loss_good) == (0, quarter)
    burst = link(loss={"kind": "gilbert_elliott", "p": 0.25, "r": 0.5, "h": 0.25, "k": 0.75})
    assert (burst.to_bad, burst.to_good) == (quarter, half)
    assert (burst.loss_bad, burst.loss_good) == (3 * quarter, quarter)
    plain = link(loss={"kind": "gilbert_elliott", "p": 0.5, "r": 0.5})
    assert (plain.loss_bad, plain.loss_good) == (CERTAIN, 0)


def test_a_camera_knows_of_a_loss_after_two_ways_and_the_feedbacks_time() -> None:
    told = link(propagation_us=7_000, feedback_bytes=25, downlink_bps=1000)
    assert told.retry_wait_us == 2 * 7_000 + 200_000
    assert link(propagation_us=0, feedback_bytes=25, budget_bps=2000).retry_wait_us == 100_000


def test_what_schc_replaces_becomes_two_bytes() -> None:
    assert link(header_bytes=28, header_compression="schc_ipv4").header_bytes == 2
    assert link(header_bytes=54, header_compression="schc_ipv6").header_bytes == 8


def test_a_shared_packet_says_how_long_its_messages_are() -> None:
    assert link(aggregate=4, aggregate_wait_us=5).length_bytes == 2


def test_fading_has_a_mean_of_one() -> None:
    fading = {"kind": "blocks", "coherence_us": "1 s", "weights": [1, 3]}
    faded = link(sharing="proportional_fair", fading=fading)
    assert (faded.fading_us, faded.fading_ppm_S.tolist()) == (1_000_000, [500_000, 1_500_000])


def test_tokens_come_at_the_budget_and_leave_at_the_line() -> None:
    bucket = link(budget_bps=5000, capacity={"kind": "token_bucket", "bucket_bytes": 2000, "line_bps": 10**6})
    assert (bucket.token_bps, bucket.bps, bucket.bucket_bits) == (5000, 10**6, 16_000)


LORA = {"kind": "lora", "spreading_factor": 7}
BUCKET = {"kind": "token_bucket", "bucket_bytes": 100, "line_bps": 10**6}
MARKOV = {"kind": "markov", "slot_us": 1000, "weights": [1, 2]}
STEPS = [{"at_us": 0, "weight": 1}, {"at_us": 5, "weight": 2}]
BLOCKS = {"kind": "blocks", "coherence_us": 1000, "weights": [1, 2]}
MEANINGLESS: list[tuple[dict[str, Any], str]] = [
    ({"sharing": "aloha", "capacity": BUCKET, "mtu_bytes": 100}, "collide"),
    ({"capacity": LORA, "mtu_bytes": 100}, "send when they like"),
    ({"capacity": LORA, "sharing": "aloha"}, "at most 255 bytes"),
    ({"capacity": BUCKET}, "wait for ever"),
    ({"capacity": BUCKET | {"line_bps": 5000}, "mtu_bytes": 100}, "cannot be spent"),
    ({"duty_cycle": 0.5}, "duty cycle"),
    ({"channels": 3}, "channels is for sharing: aloha"),
    ({"backoff_us": 5}, "backoff_us is for sharing: aloha"),
    ({"sharing": "proportional_fair"}, "is max_min"),
    ({"sharing": "dedicated", "fading": BLOCKS}, "take turns"),
    ({"sharing": "aloha", "fading": BLOCKS}, "take turns"),
    ({"header_compression": "schc_ipv6"}, "hold no IP and UDP"),
    ({"mtu_bytes": 40}, "no room for a message"),
    ({"buffer_bytes": 64, "header_bytes": 60}, "no message fits"),
    ({"aggregate_wait_us": 5}, "no other message to wait for"),
    ({"budget_bps": None}, "a capacity is needed"),
    ({"budget_bps": 5000, "capacity": {"kind": "trace", "path": "x", "scale": 2}}, "leave budget_bps out"),
    ({"outages": [{"from_us": 5, "to_us": 9}, {"from_us": 9, "to_us": 10}]}, "follow one another"),
    ({"outages": [{"from_us": 5, "to_us": 5}]}, "must end after it begins"),
    ({"loss": {"kind": "gilbert_elliott", "p": 0.1, "r": 0}}, "use bernoulli"),
    ({"capacity": MARKOV}, "either transitions or dwell_us"),
    ({"capacity": MARKOV | {"dwell_us": [5, 5000]}}, "at least slot_us"),
    ({"capacity": MARKOV | {"dwell_us": [5000]}}, "at least slot_us"),
    ({"capacity": MARKOV | {"transitions": [[1, 0], [0, 1]]}}, "never leads back"),
    ({"capacity": MARKOV | {"transitions": [[0.5, 0.4], [1, 0]]}}, "sum to 1"),
    ({"capacity": MARKOV | {"weights": [0, 1], "transitions": [[1, 0], [1, 0]]}}, "carries nothing"),
    ({"capacity": MARKOV | {"transitions": [[0.5, 0.5]]}}, "2 weights need 2 rows"),
    ({"capacity": {"kind": "piecewise", "repeat_us": 1000, "steps": STEPS[1:]}}, "start at 0"),
    ({"capacity": {"kind": "piecewise", "repeat_us": 1000, "steps": STEPS[:1] * 2}}, "rise"),
    ({"fading": {"kind": "blocks", "coherence_us": 1000, "weights": [0]}}, "above 0"),
]


@pytest.mark.parametrize(("fields", "words"), MEANINGLESS)
def test_what_means_nothing_together_is_refused_and_says_why(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        LinkSpec.model_validate(fields)
    assert [error["type"] for error in caught.value.errors()] == ["misfit"]


def test_the_page_on_links_has_every_profiles_figures() -> None:
    page = (Path(__file__).parents[2] / "docs" / "links.md").read_text()
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in page.splitlines()]
    found = {row[0]: row for row in rows if len(row) == 7 and row[0] in PROFILES}
    assert set(found) == set(PROFILES) - {"custom"}
    for name, (_, budget, header, mtu, propagation, other, _) in found.items():
        spec = LinkSpec.model_validate({"profile": name})
        times, _, rate = budget.rpartition("x ")
        assert int(times or 1) * number(rate) == link_of(spec).budget_bps
        assert number(header) == spec.packet_header_bytes
        assert number(mtu) == spec.mtu_bytes
        assert number(propagation.split(" ")[0]) == spec.propagation_us
        if "down" in other:
            assert number(other.split("down ")[1].split(";")[0]) == spec.downlink_bps


def number(text: str) -> int:
    return int(text.replace(",", ""))
