"""From what a camera did to the energy it took: whole picojoules, so that cameras add up to the fleet.

A picojoule is a microwatt for a microsecond.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fleet_sim.camera.devices import Device
from fleet_sim.camera.radios import Radio

DAY_US, MONTH_DAYS = 86_400_000_000, 30


class Did(NamedTuple):
    """Frames encoded, times that the radio woke, bits sent, bits of encoders received."""

    encoded: int
    wakes: int
    wire_bits: int
    received_bits: int


@dataclass(frozen=True)
class Rates:
    """Picojoule for each thing that a camera does, and for each microsecond of its life."""

    frame_pj: int
    wake_pj: int
    bit_pj: int
    received_bit_pj: int
    sleep_uw: int

    @staticmethod
    def of(device: Device, radio: Radio, multiply_adds: int, downlink_bps: int) -> "Rates":
        """The rates of a camera with this processor and radio whose frames take so much work.

        To receive a bit takes the radio's power for as long as it is on the air.
        """
        return Rates(
            frame_pj=multiply_adds * device.pj_per_multiply_add,
            wake_pj=1000 * radio.wake_nj,
            bit_pj=radio.pj_per_bit,
            received_bit_pj=round(radio.receive_uw * 1_000_000 / downlink_bps),
            sleep_uw=device.sleep_uw + radio.sleep_uw,
        )

    def picojoules(self, did: Did, cameras: int, duration_us: int) -> dict[str, int]:
        """What so many cameras took together in this time, by what for."""
        return {
            "compute": did.encoded * self.frame_pj,
            "radio": did.wakes * self.wake_pj + did.wire_bits * self.bit_pj,
            "receive": did.received_bits * self.received_bit_pj,
            "sleep": cameras * duration_us * self.sleep_uw,
        }


def total(did_R4: np.ndarray) -> Did:
    """What R cameras did together; a row is a `Did`."""
    return Did(*(int(column) for column in did_R4.sum(axis=0, dtype=np.int64)))


def busiest(did_R4: np.ndarray, rates: Rates) -> Did:
    """What the camera that took the most energy did."""
    each = [rates.frame_pj, rates.wake_pj, rates.bit_pj, rates.received_bit_pj]
    taken_R = did_R4 @ np.array(each, np.float64)
    return Did(*(int(number) for number in did_R4[int(taken_R.argmax())]))


def battery_days(battery_wh: float, picojoules: int, cameras: int, duration_us: int) -> float | None:
    """Days that a battery lasts at this mean power; None where nothing is taken."""
    if not picojoules:
        return None
    joules_a_day = picojoules / 1e12 / cameras * DAY_US / duration_us
    return round(battery_wh * 3600 / joules_a_day, 3)
