"""Finding a release, an encoder with its heads, in a folder of versions."""

from collections.abc import Sequence
from typing import Any

from fleet_sim.registry.bundle import RegistryError
from fleet_sim.registry.store import Registry


def find_release(
    registry: Registry, recipe: str, codec: dict[str, Any], heads: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """(encoder id, head ids by name) of the one encoder made by `recipe` with these `codec` settings.

    Raises RegistryError where there is none or more than one, or where a head is missing.
    """
    versions = registry.list()
    encoders = [v for v in versions if v.kind == "encoder"]
    fitting = [
        v for v in encoders if v.manifest["recipe"] == recipe and _same_network(v.manifest["codec"], codec)
    ]
    if len(fitting) != 1:
        there = ", ".join(f"{v.id[:12]} ({v.manifest['recipe']})" for v in encoders) or "no encoder"
        raise RegistryError(
            f"train.use: {registry.root} has {len(fitting)} encoders of recipe {recipe} with the scenario's "
            f"codec settings, and needs one; it holds {there}"
        )
    encoder = fitting[0].id
    found = {v.manifest["head"]["name"]: v.id for v in versions if v.manifest.get("encoder") == encoder}
    if missing := [name for name in heads if name not in found]:
        raise RegistryError(
            f"train.use: {registry.root} has no head {', '.join(missing)} for {encoder[:12]}; "
            f"it has {', '.join(sorted(found)) or 'none'}"
        )
    return encoder, {name: found[name] for name in heads}


def _same_network(made: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return {**made, "batch": None} == {**wanted, "batch": None}
