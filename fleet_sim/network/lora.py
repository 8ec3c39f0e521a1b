"""How long a LoRa packet is on the air.

Semtech, "SX1276/77/78/79 datasheet", rev. 7, section 4.1.1.7: a packet is a preamble of n + 4.25 symbols and
8 + max(ceil((8 PL - 4 SF + 28 + 16 CRC - 20 IH) / (4 (SF - 2 DE))) (CR + 4), 0) further ones, PL being its
bytes. Uplinks of LoRaWAN have an explicit header (IH = 0) and a checksum (CRC = 1). DE, the optimisation for
low rates, is on where a symbol takes 16 ms or more.
"""

from fractions import Fraction
from math import ceil

import numpy as np

LARGEST_PACKET_BYTES = 255


def symbol_us(spreading_factor: int, bandwidth_hz: int) -> Fraction:
    """Length of a symbol: 2^SF chips at one a hertz."""
    return Fraction(2**spreading_factor * 1_000_000, bandwidth_hz)


def bit_rate_bps(spreading_factor: int, bandwidth_hz: int, coding_rate: int) -> int:
    """Bits a second once a packet is under way, SF 4 / (4 + CR) a symbol, rounded down."""
    bits = Fraction(4 * spreading_factor, 4 + coding_rate)
    return int(bits * 1_000_000 / symbol_us(spreading_factor, bandwidth_hz))


def time_on_air_us(
    packet_bytes: int, spreading_factor: int, bandwidth_hz: int, coding_rate: int, preamble_symbols: int
) -> int:
    """Time on air of a packet of that many bytes, everything above LoRa's own header counted, rounded up.

    coding_rate: n of 4 / (4 + n).
    """
    symbol = symbol_us(spreading_factor, bandwidth_hz)
    low_rate = 2 if symbol >= 16_000 else 0
    bits = 8 * packet_bytes - 4 * spreading_factor + 28 + 16
    blocks = max(ceil(Fraction(bits, 4 * (spreading_factor - low_rate))), 0)
    symbols = preamble_symbols + Fraction(17, 4) + 8 + blocks * (coding_rate + 4)
    return ceil(symbols * symbol)


def airtime_table(
    spreading_factor: int, bandwidth_hz: int, coding_rate: int, preamble_symbols: int
) -> np.ndarray:
    """(256,) int64: time on air in microseconds of packets of 0 to 255 bytes."""
    settings = (spreading_factor, bandwidth_hz, coding_rate, preamble_symbols)
    return np.array([time_on_air_us(size, *settings) for size in range(LARGEST_PACKET_BYTES + 1)], np.int64)
