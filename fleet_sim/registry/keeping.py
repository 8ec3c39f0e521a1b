"""Which versions of a registry may be thrown away."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from fleet_sim.registry.bundle import RegistryError
from fleet_sim.registry.deployment import deployed
from fleet_sim.registry.store import Registry


class Rubbish(NamedTuple):
    """What nothing refers to."""

    versions: tuple[str, ...]  # ids
    size_bytes: int


def rubbish(registry: Registry, keep: Iterable[str] = ()) -> Rubbish:
    """The versions that are neither in the field, nor in `keep`, nor needed by one that is.

    In the field is what `deployed.json` names and, in a run's folder, what its summary.json does. A head
    needs its encoder, an encoder the one it was trained from. Raises RegistryError where nothing is to be
    kept, and for a version in `keep` or on the way that is refused.
    """
    in_field = deployed(registry)
    wanted = {*in_field.encoders, *in_field.heads, *_of_run(registry)}
    wanted |= {registry.summary(version).id for version in keep}
    if not wanted:
        raise RegistryError(
            f"nothing in {registry.root} is deployed, so all of it would go: name what to keep with --keep"
        )
    kept: set[str] = set()
    while wanted:
        summary = registry.summary(wanted.pop())
        kept.add(summary.id)
        named = (summary.manifest.get(field) for field in ("encoder", "parent"))
        # A parent that was trained elsewhere is not here, and nothing here breaks for want of it.
        wanted |= {
            version for version in named if version and version not in kept and registry.holds(version)
        }
    gone = [summary for summary in registry.list() if summary.id not in kept]
    sizes = [entry["bytes"] for summary in gone for entry in summary.manifest["files"].values()]
    return Rubbish(tuple(summary.id for summary in gone), sum(sizes))


def _of_run(registry: Registry) -> set[str]:
    """Versions that the run beside this registry says it used."""
    file = registry.root.parent / "summary.json"
    if not file.exists():
        return set()
    said = json.loads(file.read_bytes())
    used = {
        id for encoder in said["versions"]["encoders"] for id in (encoder["id"], *encoder["heads"].values())
    }
    return used | {head["version"] for head in said.get("retrained", ()) if head["version"]}
