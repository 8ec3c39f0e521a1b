"""Time on air against figures computed elsewhere, and what every packet must obey."""

import numpy as np
import pytest

from fleet_sim.network.lora import airtime_table, bit_rate_bps, time_on_air_us


# 13 bytes of LoRaWAN headers and 10 of payload at 125 kHz, coding rate 4/5, 8 symbols of preamble: as The
# Things Network's airtime calculator gives them, in milliseconds.
@pytest.mark.parametrize(
    ("spreading_factor", "published_ms"),
    [(7, 61.7), (8, 113.2), (9, 205.8), (10, 370.7), (11, 823.3), (12, 1482.8)],
)
def test_a_packet_of_23_bytes_takes_as_long_as_published(spreading_factor: int, published_ms: float) -> None:
    assert round(time_on_air_us(23, spreading_factor, 125_000, 1, 8) / 1000, 1) == published_ms


@pytest.mark.parametrize("spreading_factor", range(7, 13))
@pytest.mark.parametrize("bandwidth_hz", [125_000, 250_000, 500_000])
@pytest.mark.parametrize("coding_rate", [1, 4])
def test_the_table_rises_in_whole_blocks_of_symbols(
    spreading_factor: int, bandwidth_hz: int, coding_rate: int
) -> None:
    table_B = airtime_table(spreading_factor, bandwidth_hz, coding_rate, 8)
    block_us = (4 + coding_rate) * 2**spreading_factor * 1_000_000 / bandwidth_hz
    steps = np.diff(table_B)
    assert table_B.shape == (256,)
    assert ((steps == 0) | (np.abs(steps % block_us) < 1) | (np.abs(steps % block_us - block_us) < 1)).all()
    assert table_B[0] >= (8 + 4.25 + 8) * block_us / (4 + coding_rate)


@pytest.mark.parametrize("spreading_factor", range(7, 11))
def test_long_packets_go_at_the_bit_rate(spreading_factor: int) -> None:
    table_B = airtime_table(spreading_factor, 125_000, 1, 8)
    bps = 8 * 200 * 1_000_000 / (table_B[255] - table_B[55])
    assert bps == pytest.approx(bit_rate_bps(spreading_factor, 125_000, 1), rel=0.03)
