"""What radios take, and what their traffic costs, by link profile; `docs/energy.md` shows the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Radio:
    """A radio's energy; whole numbers only. `eur_per_mb` is a tariff's."""

    pj_per_bit: int  # picojoule a bit on the air
    wake_nj: int  # nanojoule from sleep to a message's first bit, and back
    sleep_uw: int
    eur_per_mb: float
    receive_uw: int  # microwatt while a packet of an encoder is on the air to it


# Semtech SX1261/2, datasheet at 3.3 V: 25.5 mA for +14 dBm at 868 MHz (an efficiency of 29.8 %), 4.6 mA while
# receiving LoRa (assumed; its first page has 4.2 mA, for FSK), 0.6 uA asleep with a warm start. A waking is a
# preamble of 12.25 symbols and two receive windows of 8 (assumed). One's own gateways: no tariff.
_SEND_MW, _RECEIVE_MW = 25.5 * 3.3, 4.6 * 3.3


def _lorawan(spreading_factor: int, bit_rate_bps: int) -> Radio:
    symbol_ms = 2**spreading_factor / 125
    wake_uj = symbol_ms * (12.25 * _SEND_MW + 2 * 8 * _RECEIVE_MW)
    return Radio(
        round(_SEND_MW * 1e9 / bit_rate_bps), round(1000 * wake_uj), 2, 0.0, round(1000 * _RECEIVE_MW)
    )


# 3GPP TR 45.820, section 5.4 and the studies of candidates after it: 500 mW while sending at 23 dBm (others
# there 545), 90 mW while receiving, 15 uW in power saving mode. A waking is assumed to receive for as long as
# `network.profiles` says a packet waits, LTE-M for 0.1 s. Tariff: 1NCE's IoT Lifetime Flat, 14 for 500 MB in
# 10 years (2026), in dollars or euros.
_CELLULAR_SEND_MW, _CELLULAR_RECEIVE_UW, _CELLULAR_SLEEP_UW, _EUR_PER_MB = 500, 90_000, 15, 14 / 500


def _cellular(budget_bps: int, waits_ms: int) -> Radio:
    pj_per_bit = round(_CELLULAR_SEND_MW * 1e9 / budget_bps)
    wake_nj = _CELLULAR_RECEIVE_UW * waits_ms
    return Radio(pj_per_bit, wake_nj, _CELLULAR_SLEEP_UW, _EUR_PER_MB, _CELLULAR_RECEIVE_UW)


RADIOS = {
    **{
        f"lorawan-eu868-dr{rate}": _lorawan(12 - rate, bps)
        for rate, bps in enumerate((250, 440, 980, 1760, 3125, 5470))
    },
    "nb-iot-nb1": _cellular(62_500, 1600),
    "nb-iot-nb2": _cellular(159_000, 1600),
    "lte-m": _cellular(375_000, 100),
    # J. Huang et al., "A close examination of performance and power characteristics of 4G LTE networks",
    # MobiSys 2012, tables 3 and 4: while sending 1,288.04 mW, here at 50 Mbit/s, and 438.39 mW for each
    # Mbit/s; to connect 260.1 ms at 1,210.7 mW, then a tail of 11,576 ms at 1,060.0 mW. While receiving
    # 51.97 mW for each Mbit/s more, here of 150.
    "4g": Radio(
        round(438_390 + 1_288.04e9 / 50e6),
        round(1000 * (260.1 * 1_210.7 + 11_576 * 1_060.0)),
        _CELLULAR_SLEEP_UW,
        _EUR_PER_MB,
        1_288_040 + 150 * 51_970,
    ),
    # Assumed: a Wi-Fi radio of 500 mW that wakes for 10 ms, and receives at 200 mW.
    "wifi-halow": Radio(1_670_000, 5_000_000, 50, 0.0, 200_000),
    # Its cable feeds it; nothing is counted.
    "ethernet": Radio(0, 0, 0, 0.0, 0),
}
