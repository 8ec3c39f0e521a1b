"""A directory of versions.

A version lies in a directory named by the first 16 digits of its id. It is written beside its place under a
hidden name, flushed to disk and renamed, so a reader sees all of it or nothing, and of two publishers of one
version the second finds it there. Every read checks hashes and signature on the very bytes that it gives.
"""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet_sim.basics.hashing import sha256_hex
from fleet_sim.registry.bundle import (
    MANIFEST,
    SIGNATURE,
    Bundle,
    Kind,
    RegistryError,
    Summary,
    file_name,
    pack,
    unpack,
    unpack_manifest,
)
from fleet_sim.registry.drafts import draft
from fleet_sim.registry.keys import Trust, own_keys

_DIGITS = 16
_PUBLISHED = re.compile(f"[0-9a-f]{{{_DIGITS}}}")
_PREFIX = re.compile(r"[0-9a-f]{1,64}")


class Registry:
    """The versions under `root`, a directory that the first publication makes.

    `trust` signs what is published and says what is believed; the user's own keys if it is left out.
    """

    def __init__(self, root: Path, trust: Trust | None = None):
        self.root = Path(root)
        self._trust: Trust = trust or own_keys()

    def publish(
        self,
        kind: str,
        manifest: Mapping[str, Any],
        files: Mapping[str, Mapping[str, NDArray[np.generic]]],
    ) -> str:
        """Store a version and return its id; each entry of `files` becomes NAME.safetensors.

        Publishing the same again is no error and writes nothing. Raises RegistryError for an unknown kind, or
        where the place is taken by something else, or by this version altered or signed by a stranger.
        """
        version, contents = pack(kind, manifest, files)
        target = self.root / version[:_DIGITS]
        if not target.exists():
            seal = self._trust.seal(version, contents[MANIFEST])
            self._write(target, contents if seal is None else {**contents, SIGNATURE: seal})
        self.verify(version)
        return version

    def load(self, version: str, kind: Kind | None = None) -> Bundle:
        """The version whose id starts with `version`, signature and every hash verified.

        Raises RegistryError if it is unknown, ambiguous, of another kind than `kind`, not as published, not
        signed, or signed by nobody who is believed.
        """
        directory = self._find(version)
        summary = self._summary(directory)
        if not summary.id.startswith(version):
            raise RegistryError(f"no version {version} in {self.root}; {summary.id} is there")
        if kind is not None and summary.kind != kind:
            raise RegistryError(f"version {directory.name} is of kind {summary.kind}, wanted is {kind}")
        wanted = {MANIFEST, *(file_name(name) for name in summary.manifest["files"])}
        found = {path.name for path in directory.iterdir()} - {SIGNATURE}
        if found != wanted:
            odd = ", ".join(sorted(found ^ wanted))
            raise RegistryError(f"version {directory.name}: files missing or not its own: {odd}")
        contents = {name: _read(directory / name) for name in wanted - {MANIFEST}}
        return unpack(summary, contents, f"version {directory.name}")

    def verify(self, version: str) -> None:
        """Read the version and check every hash; raises RegistryError as `load` does."""
        self.load(version)

    def list(self) -> list[Summary]:
        """All versions by id, manifests and signatures verified; tensors are read by `load` alone."""
        return [self._summary(directory) for directory in self._directories()]

    def names(self) -> tuple[str, ...]:
        """The first digits of every version there, whether it would be believed or not."""
        return tuple(directory.name for directory in self._directories())

    def summary(self, version: str) -> Summary:
        """The version without its tensors, manifest and signature verified; raises as `load` does."""
        return self._summary(self._find(version))

    def holds(self, version: str) -> bool:
        """Is there a version of this full id, believed or not?"""
        return (self.root / version[:_DIGITS]).is_dir()

    def sign(self, version: str) -> str:
        """Sign a version that nobody has signed, its hashes verified; gives its id.

        Raises RegistryError where it is not as published, or signed already.
        """
        directory = self._find(version)
        text = _read(directory / MANIFEST)
        if (directory / SIGNATURE).exists():
            raise RegistryError(f"version {directory.name} is signed already")
        seal = self._trust.seal(sha256_hex(text), text)
        if seal is not None:
            with draft(self.root) as place:
                place.write_bytes(seal)
                place.rename(directory / SIGNATURE)
        try:
            return self.load(version).id
        except RegistryError:
            (directory / SIGNATURE).unlink(missing_ok=True)
            raise

    def remove(self, version: str) -> None:
        """Take a version away: hidden at once, then deleted. Not verified, so that a bad one can go too."""
        directory = self._find(version)
        with draft(self.root) as hidden:
            directory.rename(hidden)
            _flush_directory(self.root)
            shutil.rmtree(hidden)

    def _directories(self) -> tuple[Path, ...]:
        if not self.root.is_dir():
            return ()
        return tuple(sorted(path for path in self.root.iterdir() if _PUBLISHED.fullmatch(path.name)))

    def _find(self, version: str) -> Path:
        if not _PREFIX.fullmatch(version):
            raise RegistryError(f"'{version}' is no id of a version, which has hexadecimal digits only")
        found = [path for path in self._directories() if path.name.startswith(version[:_DIGITS])]
        if not found:
            raise RegistryError(f"no version {version} in {self.root}")
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise RegistryError(f"version {version} is ambiguous in {self.root}: {names}")
        return found[0]

    def _summary(self, directory: Path) -> Summary:
        place = f"version {directory.name}"
        text = _read(directory / MANIFEST)
        version, seal = sha256_hex(text), directory / SIGNATURE
        if not version.startswith(directory.name):
            raise RegistryError(f"{place}: {MANIFEST} was altered: its SHA-256 is not the version's id")
        signature = _read(seal) if seal.is_symlink() or seal.exists() else None
        self._trust.check(place, version, text, signature)
        return unpack_manifest(text, place)

    def _write(self, target: Path, contents: Mapping[str, bytes]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        with draft(self.root) as place:
            place.mkdir()
            try:
                for name, content in contents.items():
                    with open(place / name, "xb") as file:
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
                _flush_directory(place)
                try:
                    place.rename(target)
                except OSError:
                    if not target.exists():
                        raise
                    # someone else published in the meantime; publish() verifies what
            finally:
                shutil.rmtree(place, ignore_errors=True)
        _flush_directory(self.root)


def _read(path: Path) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise RegistryError(f"version {path.parent.name}: {path.name} is missing or not a plain file")
    return path.read_bytes()


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
