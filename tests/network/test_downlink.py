"""What a scenario says of the downlink for encoders, as constants; and when it is open."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_sim.basics.compiled import compiled
from fleet_sim.basics.errors import UserError
from fleet_sim.network.blocks import NEVER_US, open_us
from fleet_sim.network.build import link_of
from fleet_sim.network.downlink import Downlink
from fleet_sim.network.downlink_spec import AirSpec, downlink_of
from fleet_sim.network.spec import LinkSpec

SECOND = 1_000_000


@compiled()
def opens(downlink: Any, from_us: int, takes_us: int) -> int:
    return open_us(downlink, from_us, takes_us)


def test_encoders_have_their_share_and_what_tells_of_losses_has_the_rest() -> None:
    link = LinkSpec(
        downlink_bps="10 kbit/s", feedback_bytes=100, propagation_us=0, mtu_bytes=128, header_bytes=28
    )
    air = AirSpec(share=0.3)
    found = downlink_of(air, link)
    assert (found.bps, found.block_bytes, found.header_bytes) == (3_000, 100, 28)
    assert link_of(link, air.share).retry_wait_us == -(-800 * SECOND // 7_000)
    assert link_of(link).retry_wait_us == 80_000


def test_a_block_has_to_fit_a_packet_and_a_window() -> None:
    link = LinkSpec(downlink_bps=8_000, mtu_bytes=128, header_bytes=28)
    with pytest.raises(UserError, match=r"rollout.air.block_bytes: a packet of this link carries 100 bytes"):
        downlink_of(AirSpec(block_bytes=101), link)
    short = {"every_us": "1 h", "open_us": "255 ms"}  # 128 bytes at 4 kbit/s take 256 ms
    with pytest.raises(UserError, match=r"rollout.air.window.open_us: at 4000 bit/s a block of 100 bytes"):
        downlink_of(AirSpec.model_validate({"window": short}), link)
    downlink_of(AirSpec.model_validate({"window": short | {"open_us": "256 ms"}}), link)


def test_a_window_closes() -> None:
    with pytest.raises(ValueError, match="a window that never closes is none"):
        AirSpec.model_validate({"window": {"every_us": "1 h", "open_us": "1 h"}})


def spans(every: int, first: int, length: int, outages: list[tuple[int, int]]) -> Downlink:
    ends = np.array(outages, np.int64).reshape(-1, 2)
    return Downlink(1, 1, 0, 0, every, first, length, ends[:, 0].copy(), ends[:, 1].copy())


@given(
    st.integers(2, 30).flatmap(lambda every: st.tuples(st.just(every), st.integers(1, every - 1))),
    st.integers(0, 40),
    st.sets(st.integers(0, 80), max_size=6).map(sorted),
    st.integers(0, 60),
    st.integers(1, 12),
)
def test_open_is_the_first_time_that_fits(
    window: tuple[int, int], first: int, cuts: list[int], from_us: int, takes_us: int
) -> None:
    every, length = window
    outages = list(zip(cuts[::2], cuts[1::2], strict=False))
    found = opens(spans(every, first, length, outages), from_us, takes_us)

    def fits(begin: int) -> bool:
        inside = all((t - first) % every < length for t in range(begin, begin + takes_us))
        unbroken = (begin - first) % every + takes_us <= length
        return inside and unbroken and all(begin >= to or begin + takes_us <= fr for fr, to in outages)

    wanted = next((t for t in range(from_us, from_us + 200) if fits(t)), NEVER_US)
    assert found == wanted
