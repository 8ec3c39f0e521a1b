"""Taking over a release, an encoder with its heads, from another folder of versions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_sim.registry.bundle import RegistryError, Summary
from fleet_sim.registry.store import Registry

Publish = Callable[[str, dict[str, Any], dict[str, dict[str, Any]]], str]


@dataclass(frozen=True)
class Wanted:
    """What a release must be: its recipe, `codec:` settings, number of classes and heads by name."""

    recipe: str
    codec: dict[str, Any]
    classes: int
    heads: Sequence[str]


def adopt(folder: Path, wanted: Wanted, publish: Publish) -> tuple[str, dict[str, str]]:
    """Publish the one release in `folder` that is as wanted; ids stay: (encoder, heads by name).

    Raises RegistryError where there is none or more than one, or where a head is missing.
    """
    registry = Registry(folder)
    encoder, heads = _find(registry, wanted)
    for version in (encoder, *heads.values()):
        bundle = registry.load(version)
        manifest = {key: value for key, value in bundle.manifest.items() if key not in ("kind", "files")}
        publish(bundle.kind, manifest, bundle.tensors)
    return encoder, heads


def _find(registry: Registry, wanted: Wanted) -> tuple[str, dict[str, str]]:
    versions = registry.list()
    encoders = [version for version in versions if version.kind == "encoder"]
    fitting = [version for version in encoders if _fits(version, wanted)]
    if len(fitting) != 1:
        there = ", ".join(
            f"{v.id[:12]} ({v.manifest['recipe']}, {v.manifest['classes']} classes)" for v in encoders
        )
        raise RegistryError(
            f"train.use: {registry.root} has {len(fitting)} encoders of recipe {wanted.recipe} for "
            f"{wanted.classes} classes with the scenario's codec settings, and needs one; it holds "
            f"{there or 'no encoder'}"
        )
    encoder = fitting[0].id
    found = {v.manifest["head"]["name"]: v.id for v in versions if v.manifest.get("encoder") == encoder}
    if missing := [name for name in wanted.heads if name not in found]:
        raise RegistryError(
            f"train.use: {registry.root} has no head {', '.join(missing)} for {encoder[:12]}; "
            f"it has {', '.join(sorted(found)) or 'none'}"
        )
    return encoder, {name: found[name] for name in wanted.heads}


def _fits(encoder: Summary, wanted: Wanted) -> bool:
    made = encoder.manifest
    same_codec = {**made["codec"], "batch": None} == {**wanted.codec, "batch": None}
    return bool(made["recipe"] == wanted.recipe and made["classes"] == wanted.classes and same_codec)
