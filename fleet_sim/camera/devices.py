"""Processors of cameras by name, with published figures; `docs/energy.md` shows the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A processor that runs a camera's network with 8-bit weights; whole numbers only."""

    multiply_adds_per_s: int
    pj_per_multiply_add: int  # picojoule
    memory_bytes: int  # for weights
    sleep_uw: int  # between frames, with the camera's radio off


DEVICES = {
    # Cortex-M7 at 216 MHz with 1 MB of flash. L. Lai, N. Suda, V. Chandra, "CMSIS-NN", 2018 (arXiv
    # 1801.06601), section 4: a network of three convolutions on a NUCLEO-F746ZG in 99.1 ms, 249 million
    # operations a second, two a multiply-add. Power is assumed: 100 mA at 3.3 V. So is sleep.
    "microcontroller": Device(125_000_000, 2640, 1_000_000, 10),
    # Four Cortex-A53 at 1.5 GHz, as on boards of the Raspberry Pi's kind: MobileNet v2, 300 million
    # multiply-adds (M. Sandler et al., 2018, table 4), in 122 ms (coral.ai, "Edge TPU performance
    # benchmarks", table 1, embedded CPU). Power: 500 mA at 5 V, a Pi 3 B+ (Raspberry Pi documentation, "Power
    # supply", typical bare-board active current). Memory is 1 GB; it is assumed to be off between frames.
    "board": Device(2_460_000_000, 1016, 1_000_000_000, 10),
    # An Edge TPU: the same network in 2.6 ms (same table), 2 W (0.5 W for each of 4 TOPS), 8 MB on the chip.
    # Assumed to be switched off between frames.
    "npu": Device(115_000_000_000, 17, 8_000_000, 10),
}


def encode_time_us(device: Device, multiply_adds: int) -> int:
    """Microseconds from capture to coded message, rounded up."""
    return -(-multiply_adds * 1_000_000 // device.multiply_adds_per_s)
