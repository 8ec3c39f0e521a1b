"""A bundle as bytes: the canonical manifest, whose SHA-256 is the id, and one safetensors file a name."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import canonical_json, sha256_hex

Kind = Literal["encoder", "head"]
KINDS = ("encoder", "head")
MANIFEST = "manifest.json"
SIGNATURE = "signature.ed25519"

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class RegistryError(UserError):
    """A version that is not there, is not what was asked for, or is not what was published."""


@dataclass(frozen=True)
class Summary:
    """A version without its tensors. `manifest` is as published, with `kind` and hashes of its `files`."""

    id: str
    kind: Kind
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Bundle(Summary):
    """A version, verified. `tensors` by file name, then by tensor name."""

    tensors: dict[str, dict[str, NDArray[np.generic]]]


def pack(
    kind: str, manifest: Mapping[str, Any], files: Mapping[str, Mapping[str, NDArray[np.generic]]]
) -> tuple[str, dict[str, bytes]]:
    """(id, content by file name) of a new version.

    Raises RegistryError for an unknown kind, a manifest that has `files` or another kind of its own, or a bad
    file name.
    """
    if kind not in KINDS:
        raise RegistryError(f"'{kind}' is no kind of version; there are {', '.join(KINDS)}")
    if "files" in manifest or manifest.get("kind", kind) != kind:
        raise RegistryError(f"the manifest of this {kind} holds another kind, or files of its own")
    contents = {}
    for name, tensors in files.items():
        if not _NAME.fullmatch(name):
            raise RegistryError(f"'{name}' cannot name a file of a version: small letters, digits and _ can")
        # order="C" and not ascontiguousarray, which would give a scalar a dimension
        contents[name] = safetensors_numpy.save({k: np.array(v, order="C") for k, v in tensors.items()})
    hashes = {name: {"bytes": len(text), "sha256": sha256_hex(text)} for name, text in contents.items()}
    text = canonical_json({**manifest, "kind": kind, "files": hashes})
    return sha256_hex(text), {MANIFEST: text, **{file_name(name): c for name, c in contents.items()}}


def unpack_manifest(text: bytes, place: str) -> Summary:
    """The version that this manifest describes, its id the hash of the text; `place` names it in errors."""
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise RegistryError(f"{place}: {MANIFEST} is not JSON: {error}") from error
    if not _is_manifest(manifest):
        raise RegistryError(f"{place}: {MANIFEST} is not the manifest of a version")
    return Summary(sha256_hex(text), cast(Kind, manifest["kind"]), manifest)


def unpack(summary: Summary, contents: Mapping[str, bytes], place: str) -> Bundle:
    """The bundle of a manifest and the contents of its files; raises RegistryError where they do not fit."""
    tensors = {}
    for name, expected in summary.manifest["files"].items():
        content = contents[file_name(name)]
        if len(content) != expected["bytes"]:
            raise RegistryError(
                f"{place}: {file_name(name)} has {len(content)} bytes, published were {expected['bytes']}"
            )
        if sha256_hex(content) != expected["sha256"]:
            raise RegistryError(f"{place}: {file_name(name)} was altered: its SHA-256 is not the manifest's")
        try:
            tensors[name] = safetensors_numpy.load(content)
        except SafetensorError as error:
            raise RegistryError(f"{place}: {file_name(name)} is not a safetensors file: {error}") from error
    return Bundle(summary.id, summary.kind, summary.manifest, tensors)


def file_name(name: str) -> str:
    """Name on disk of a bundle's file."""
    return f"{name}.safetensors"


def _is_manifest(value: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(value, dict)
        and value.get("kind") in KINDS
        and isinstance(value.get("files"), dict)
        and all(
            _NAME.fullmatch(name) and isinstance(entry, dict) and set(entry) == {"bytes", "sha256"}
            for name, entry in value["files"].items()
        )
    )
