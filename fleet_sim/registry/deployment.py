"""Which versions are in the field, and what may change there without leaving a camera unread.

`deployed.json` in the registry names the encoders that cameras have and the heads that servers host. Each
change goes through here: it is refused where an encoder would be left without a head that states its
contract, so that servers never have to guess.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from fleet_sim.basics.hashing import canonical_json
from fleet_sim.codec.contract import serves
from fleet_sim.registry.bundle import RegistryError, Summary
from fleet_sim.registry.drafts import draft
from fleet_sim.registry.store import Registry

DEPLOYED = "deployed.json"
_LOCK = ".deployed.lock"


class Deployment(NamedTuple):
    """Full ids of the versions in the field."""

    encoders: frozenset[str]  # on cameras, those of any earlier release that some camera still has included
    heads: frozenset[str]  # on servers


def deployed(registry: Registry) -> Deployment:
    """What is in the field; nothing where nothing was ever deployed."""
    file = registry.root / DEPLOYED
    try:
        said = json.loads(file.read_bytes()) if file.exists() else {"encoders": [], "heads": []}
        return Deployment(frozenset(said["encoders"]), frozenset(said["heads"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{file} is not a list of deployed versions: {error}") from error


def deploy(registry: Registry, encoder: str, heads: Iterable[str]) -> Deployment:
    """Add a release to what is in the field: from now on some camera may have this encoder.

    Raises RegistryError, with nothing changed, where none of all heads states its contract, where a version
    is refused by the registry, or is of the wrong kind.
    """
    with _changing(registry):
        before = deployed(registry)
        return _put(registry, Deployment(before.encoders | {encoder}, before.heads | set(heads)))


def withdraw(registry: Registry, versions: Iterable[str]) -> Deployment:
    """Take versions out of the field: no camera has these encoders any more, no server hosts these heads.

    Raises RegistryError, with nothing changed, where a camera would be left without a head, or where one of
    them is not in the field.
    """
    gone = set(versions)
    with _changing(registry):
        before = deployed(registry)
        if absent := gone - before.encoders - before.heads:
            raise RegistryError(f"version {min(absent)[:16]} is not in the field: nothing to withdraw")
        return _put(registry, Deployment(before.encoders - gone, before.heads - gone))


def _put(registry: Registry, after: Deployment) -> Deployment:
    heads = [_of_kind(registry, version, "head") for version in sorted(after.heads)]
    served = {contract for head in heads for contract in serves(head.manifest)}
    for version in sorted(after.encoders):
        contract = _of_kind(registry, version, "encoder").manifest["contract_hash"]
        if contract not in served:
            raise RegistryError(
                f"this would leave encoder {version[:16]}, which cameras have, without a decoder: none of "
                f"the {len(heads)} heads on the servers serves its contract {contract[:16]}"
            )
    with draft(registry.root) as place:
        with open(place, "xb") as file:
            file.write(canonical_json({"encoders": sorted(after.encoders), "heads": sorted(after.heads)}))
            file.flush()
            os.fsync(file.fileno())
        place.replace(registry.root / DEPLOYED)
    return after


def _of_kind(registry: Registry, version: str, kind: str) -> Summary:
    summary = registry.summary(version)
    if summary.id != version or summary.kind != kind:
        raise RegistryError(f"{version} is not the full id of a version of kind {kind} in {registry.root}")
    return summary


@contextmanager
def _changing(registry: Registry) -> Iterator[None]:
    """One change at a time, also among processes; the lock goes with the process that holds it."""
    registry.root.mkdir(parents=True, exist_ok=True)
    with open(registry.root / _LOCK, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
