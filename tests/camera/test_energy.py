import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fleet_sim.camera.devices import DEVICES, encode_time_us
from fleet_sim.camera.energy import Did, Rates, battery_days, busiest, total
from fleet_sim.camera.radios import RADIOS


def test_a_camera_by_hand() -> None:
    # A microcontroller and NB-IoT: a frame of a million multiply-adds is 2.64 mJ; a bit 0.5 W / 62.5 kbit/s
    # = 8 uJ; a waking 90 mW * 1.6 s = 144 mJ; asleep it takes 10 + 15 uW; a bit at 25 kbit/s
    # takes 3.6 uJ to receive.
    rates = Rates.of(DEVICES["microcontroller"], RADIOS["nb-iot-nb1"], 1_000_000, 25_000)
    sending = {"frame_pj": 2_640_000_000, "wake_pj": 144_000_000_000, "bit_pj": 8_000_000}
    assert rates == Rates(**sending, received_bit_pj=3_600_000, sleep_uw=25)
    # Ten minutes, ten frames of 43 bytes on the wire, 20 kB of an encoder: 26.4 mJ; 1.44 J + 27.52 mJ; 576 mJ
    # (6.4 s at 90 mW); 15 mJ.
    parts = rates.picojoules(Did(10, 10, wire_bits=10 * 344, received_bits=160_000), 1, 600_000_000)
    assert parts == {
        "compute": 26_400_000_000,
        "radio": 1_467_520_000_000,
        "receive": 576_000_000_000,
        "sleep": 15_000_000_000,
    }
    # 2.08492 J in ten minutes are 300.23 J a day; 5 Wh are 18 kJ.
    assert battery_days(5.0, sum(parts.values()), 1, 600_000_000) == pytest.approx(59.955, abs=0.001)
    assert encode_time_us(DEVICES["microcontroller"], 1_000_000) == 8000


@given(
    arrays.arrays(np.int64, st.tuples(st.integers(1, 40), st.just(4)), elements=st.integers(0, 10**9)),
    st.sampled_from(sorted(RADIOS)),
    st.sampled_from(sorted(DEVICES)),
)
def test_cameras_add_up_to_the_fleet_exactly(did_R4: np.ndarray, link: str, device: str) -> None:
    rates = Rates.of(DEVICES[device], RADIOS[link], 12_345_678, 25_500)
    each = [rates.picojoules(Did(*map(int, row)), 1, 60_000_000) for row in did_R4]
    whole = rates.picojoules(total(did_R4), len(did_R4), 60_000_000)
    assert whole == {name: sum(one[name] for one in each) for name in whole}
    most = sum(rates.picojoules(busiest(did_R4, rates), 1, 60_000_000).values())
    assert most == pytest.approx(max(sum(one.values()) for one in each), rel=1e-9)


def test_an_lte_message_by_hand() -> None:
    # 50,000 bits at 50 Mbit/s are 1 ms: at 1,288.04 mW + 438.39 mW * 50 that is 23.20754 mJ. Connecting is
    # 0.2601 s * 1,210.7 mW = 314.903 mJ, the tail 11.576 s * 1,060 mW = 12,270.56 mJ.
    radio = RADIOS["4g"]
    assert 50_000 * radio.pj_per_bit / 1e9 == pytest.approx(23.20754, rel=1e-5)
    assert radio.wake_nj / 1e6 == pytest.approx(314.903 + 12_270.56, rel=1e-6)


def test_a_tariff_by_hand() -> None:
    # 500 MB for 14 in ten years: a tenth of it a year is 1.40, a month of 4.1667 MB 11.67 cent.
    assert RADIOS["lte-m"].eur_per_mb * 500 / 120 == pytest.approx(0.11667, rel=1e-4)


def test_lora_pays_for_slow_bits() -> None:
    # 25.5 mA at 3.3 V for 1 / 5,470 s, and for 1 / 250 s.
    assert RADIOS["lorawan-eu868-dr5"].pj_per_bit == pytest.approx(15_384_000, rel=1e-3)
    assert RADIOS["lorawan-eu868-dr0"].pj_per_bit == pytest.approx(336_600_000, rel=1e-3)
