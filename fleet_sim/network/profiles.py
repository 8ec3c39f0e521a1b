"""Links by name: published figures as defaults for the fields of `link:` that a scenario leaves out.

`docs/links.md` shows the same figures with what they mean. Rates and sizes are those of the standards; what
depends on the place (how long a packet travels) is the lower end of what is published, or, where it says so,
assumed. Headers are all bytes around a message: IPv4 and UDP (28), and the link's own.
"""

from typing import Any

IPV4_UDP_BYTES = 28

# LoRaWAN Regional Parameters RP002-1.0.4, EU863-870: spreading factor, bit rate, and largest application
# payload N (repeater compatible) of data rates 0 to 5. Around it: MHDR 1, FHDR 7, FPort 1, MIC 4 (LoRaWAN
# L2 1.0.4, section 4). Three default channels in a sub-band of 1 % duty cycle, access as in pure ALOHA.
_LORAWAN_RATES = ((12, 250, 51), (11, 440, 51), (10, 980, 51), (9, 1760, 115), (8, 3125, 222), (7, 5470, 222))
_LORAWAN_HEADER_BYTES = 13
_LORAWAN_CHANNELS = 3


def _lorawan(spreading_factor: int, bit_rate_bps: int, payload_bytes: int) -> dict[str, Any]:
    return {
        "budget_bps": bit_rate_bps * _LORAWAN_CHANNELS,
        "capacity": {"kind": "lora", "spreading_factor": spreading_factor},
        "sharing": "aloha",
        "channels": _LORAWAN_CHANNELS,
        "duty_cycle": 0.01,  # ETSI EN 300 220-2, band 868.0 to 868.6 MHz
        "header_bytes": _LORAWAN_HEADER_BYTES,  # no IP
        "fragment_bytes": 1,  # RFC 9011, section 5.6.2: W and FCN; the rule is in FPort
        "mtu_bytes": payload_bytes + _LORAWAN_HEADER_BYTES,
        "propagation_us": 1000,  # assumed: gateway to server
        # Of confirmed uplinks, if a scenario asks for retries: an empty downlink, and ACK_TIMEOUT's 1 to 3 s.
        "downlink_bps": bit_rate_bps,
        "feedback_bytes": 12,
        "backoff_us": 3_000_000,
    }


PROFILES: dict[str, dict[str, Any]] = {
    "custom": {},
    **{f"lorawan-eu868-dr{rate}": _lorawan(*figures) for rate, figures in enumerate(_LORAWAN_RATES)},
    # 3GPP TS 36.306 Rel-13, category NB1: one carrier of 180 kHz, transport blocks of up to 1,000 bits; peak
    # rates of one device. TS 36.322 and 36.321: RLC 2, MAC 2, no PDCP on the control plane.
    # TS 23.401 recommends an IP packet of at most 1,358 bytes. GSMA: 1.6 to 10 s; the lower end.
    "nb-iot-nb1": {
        "budget_bps": 62_500,
        "downlink_bps": 25_500,
        "header_bytes": IPV4_UDP_BYTES + 4,
        "mtu_bytes": 1358 + 4,
        "propagation_us": 1_600_000,
    },
    # The same of Rel-14, category NB2: transport blocks of up to 2,536 bits, two HARQ processes.
    "nb-iot-nb2": {
        "budget_bps": 159_000,
        "downlink_bps": 127_000,
        "header_bytes": IPV4_UDP_BYTES + 4,
        "mtu_bytes": 1358 + 4,
        "propagation_us": 1_600_000,
    },
    # 3GPP TS 36.306 Rel-13, category M1, half duplex; PDCP 2, RLC 2, MAC 2; 10 to 15 ms.
    "lte-m": {
        "budget_bps": 375_000,
        "downlink_bps": 300_000,
        "header_bytes": IPV4_UDP_BYTES + 6,
        "mtu_bytes": 1358 + 6,
        "propagation_us": 15_000,
    },
    # IEEE 802.11ah-2016, a channel of 1 MHz, MCS 0, one stream, long guard interval: 300 kbit/s. Header of a
    # QoS data frame 26, FCS 4, LLC/SNAP 8. Stations take turns packet by packet (M. Heusse et al.,
    # "Performance anomaly of 802.11b", INFOCOM 2003).
    "wifi-halow": {
        "budget_bps": 300_000,
        "sharing": "round_robin",
        "header_bytes": IPV4_UDP_BYTES + 38,
        "mtu_bytes": 1500 + 38,
        "propagation_us": 5_000,  # assumed: access point to server
    },
    # 3GPP TS 36.306, category 4: 50 up, 150 down; PDCP 2, RLC 2, MAC 2. One way through an LTE network.
    "4g": {
        "budget_bps": 50_000_000,
        "downlink_bps": 150_000_000,
        "header_bytes": IPV4_UDP_BYTES + 6,
        "mtu_bytes": 1358 + 6,
        "buffer_bytes": 65_536,
        "propagation_us": 20_000,  # assumed: half of a usual round trip
    },
    # IEEE 802.3, 100BASE-TX, switched: preamble 8, MAC 14, FCS 4, gap 12.
    "ethernet": {
        "budget_bps": 100_000_000,
        "sharing": "dedicated",
        "header_bytes": IPV4_UDP_BYTES + 38,
        "mtu_bytes": 1500 + 38,
        "buffer_bytes": 65_536,
        "propagation_us": 500,  # assumed: within a building
    },
}
