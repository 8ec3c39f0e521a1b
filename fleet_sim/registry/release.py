"""Taking over a release, an encoder with its heads, from another folder of versions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet_sim.codec.contract import serves
from fleet_sim.registry.bundle import RegistryError, Summary
from fleet_sim.registry.shipped import opened

Publish = Callable[[str, dict[str, Any], dict[str, dict[str, Any]]], str]


@dataclass(frozen=True)
class Wanted:
    """What a release must be (recipe, `codec:` settings, classes, heads by name) and should be (the rest).

    `parent`: the encoder that it updates; None of a first one.
    """

    recipe: str
    seed: int
    codec: dict[str, Any]
    train: dict[str, Any]
    content_hash: str
    classes: int
    heads: Sequence[str]
    parent: str | None = None


def adopt(
    folder: Path, wanted: Wanted, publish: Publish, note: Callable[[str], None]
) -> tuple[str, dict[str, str]]:
    """Publish the one release in `folder` that is as wanted; ids stay: (encoder, heads by name).

    Where several are as they must be, the one that is also as it should be, and then that of the wanted
    parent, is taken; `note` is told where the
    one taken was trained on other images or otherwise. Raises RegistryError, with nothing published, where
    there is no such release or more than one, where a head is missing or not of its encoder's contract, or a
    file is not what was published.
    """
    encoder, heads = find(folder, wanted)
    if encoder.manifest["data"]["content_hash"] != wanted.content_hash:
        note(
            f"train.use: {encoder.id[:12]} was made from other images, or other scenes, than this scenario's"
        )
    elif not _as_it_should_be(encoder, wanted):
        note(
            f"train.use: {encoder.id[:12]} was trained with other settings or another seed than this scenario"
        )
    registry = opened(folder)
    for bundle in [registry.load(version) for version in (encoder.id, *heads.values())]:
        manifest = {key: value for key, value in bundle.manifest.items() if key not in ("kind", "files")}
        publish(bundle.kind, manifest, bundle.tensors)
    return encoder.id, heads


def find(folder: Path, wanted: Wanted) -> tuple[Summary, dict[str, str]]:
    """The release that `adopt` would publish: (encoder, ids of heads by name); raises as it does."""
    if not folder.is_dir():
        raise RegistryError(f"train.use: there is no folder {folder}")
    if (folder / "models").is_dir():
        raise RegistryError(f"train.use: {folder} holds no versions; did you mean {folder / 'models'}?")
    registry = opened(folder)
    versions = registry.list()
    encoders = [version for version in versions if version.kind == "encoder"]
    fitting = [version for version in encoders if _as_it_must_be(version, wanted)]
    if len(fitting) > 1:
        fitting = [version for version in fitting if _as_it_should_be(version, wanted)]
    if len(fitting) > 1:  # updates of one recipe, each of the one before
        fitting = [version for version in fitting if version.manifest.get("parent") == wanted.parent]
    if len(fitting) != 1:
        there = ", ".join(
            f"{v.id[:12]} ({v.manifest['recipe']}, {v.manifest['classes']} classes)" for v in encoders
        )
        raise RegistryError(
            f"train.use: {registry.root} has {len(fitting)} encoders of recipe {wanted.recipe} for "
            f"{wanted.classes} classes with the scenario's codec settings, and needs one; it holds "
            f"{there or 'no encoder'}"
        )
    encoder = fitting[0]
    found = {v.manifest["head"]["name"]: v for v in versions if v.manifest.get("encoder") == encoder.id}
    if missing := [name for name in wanted.heads if name not in found]:
        raise RegistryError(
            f"train.use: {registry.root} has no head {', '.join(missing)} for {encoder.id[:12]}; "
            f"it has {', '.join(sorted(found)) or 'none'}"
        )
    for name in wanted.heads:
        theirs, ours = serves(found[name].manifest), encoder.manifest["contract_hash"]
        if ours not in theirs:
            raise RegistryError(
                f"train.use: head {name} ({found[name].id[:12]}) is made for contract "
                f"{', '.join(contract[:16] for contract in theirs)}, encoder "
                f"{encoder.id[:12]} has {ours[:16]}: a server would read noise; train them again together"
            )
    return encoder, {name: found[name].id for name in wanted.heads}


def _as_it_must_be(encoder: Summary, wanted: Wanted) -> bool:
    made = encoder.manifest
    same_codec = {**made["codec"], "batch": None} == {**wanted.codec, "batch": None}
    return bool(made["recipe"] == wanted.recipe and made["classes"] == wanted.classes and same_codec)


def _as_it_should_be(encoder: Summary, wanted: Wanted) -> bool:
    made = encoder.manifest
    same_data = made["data"]["content_hash"] == wanted.content_hash
    return bool(made["seed"] == wanted.seed and made["train"] == wanted.train and same_data)
