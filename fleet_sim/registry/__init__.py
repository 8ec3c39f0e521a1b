"""Versions on disk: immutable, content-addressed bundles of manifest and tensors, verified on every read."""

from fleet_sim.registry.bundle import Bundle, Kind, RegistryError, Summary
from fleet_sim.registry.store import Registry

__all__ = ["Bundle", "Kind", "Registry", "RegistryError", "Summary"]
