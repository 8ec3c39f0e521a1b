"""Versions on disk: immutable, signed bundles named by their content, verified on every read."""

from fleet_sim.registry.bundle import Bundle, Kind, RegistryError, Summary
from fleet_sim.registry.keys import Keys, own_keys
from fleet_sim.registry.store import Registry

__all__ = ["Bundle", "Keys", "Kind", "Registry", "RegistryError", "Summary", "own_keys"]
