"""Every link model against theory, on the same compiled step that simulates fleets."""

from fleet_sim.conformance.check import Check
from fleet_sim.conformance.checks import all_checks
from fleet_sim.conformance.table import heading, line

__all__ = ["Check", "all_checks", "heading", "line"]
