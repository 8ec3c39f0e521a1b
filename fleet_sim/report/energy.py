"""What a point took: joule, days of battery, bytes and their price."""

from fleet_sim.camera.energy import DAY_US, MONTH_DAYS, Rates, battery_days, busiest, total
from fleet_sim.engine import counts as c
from fleet_sim.engine.counts import Counts
from fleet_sim.engine.figures import Row, ratio
from fleet_sim.engine.fleet import Fleet


def energy_figures(counts: Counts, fleet: Fleet, rates: Rates, battery_wh: float, eur_per_mb: float) -> Row:
    """Picojoule by what for, exactly; joule for a frame right on time; a camera's battery, bytes and price.

    A month has 30 days; `battery_days_least` is of the camera that took most.
    """
    did, cameras, duration_us = total(counts.did_R4), fleet.cameras, fleet.duration_us
    parts = rates.picojoules(did, cameras, duration_us)
    whole = sum(parts.values())
    most = sum(rates.picojoules(busiest(counts.did_R4, rates), 1, duration_us).values())
    month = MONTH_DAYS * DAY_US / duration_us
    bytes_a_month = round(did.wire_bits / 8 / cameras * month, 1)
    return {
        "picojoules": parts,
        "joules_a_right_frame": _joules(whole, int(counts.total_C[c.RIGHT_ON_TIME])),
        "battery_days": battery_days(battery_wh, whole, cameras, duration_us),
        "battery_days_least": battery_days(battery_wh, most, 1, duration_us),
        "bytes_a_month": bytes_a_month,
        "eur_a_month": ratio(bytes_a_month * eur_per_mb, 1_000_000) or 0.0,
    }


def _joules(picojoules: int, frames: int) -> float | None:
    """Joule a frame to nine places; None without frames."""
    return round(picojoules / frames / 1e12, 9) if frames else None
