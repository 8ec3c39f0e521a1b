"""Whose versions are believed: those signed with a key of one's own folder of keys.

`fleet.key` signs; it is made when first needed, readable by its owner alone. Every `*.pub` in the folder is
believed, so another fleet's versions are taken once its `fleet.pub` has been copied there under any name. A
signature is that of Ed25519 (RFC 8032) over the manifest, which holds the hashes of all else.
"""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from fleet_sim.registry.bundle import RegistryError

FOLDER = "FLEET_SIM_KEYS"
"""The environment variable that names another folder of keys than the user's own."""
SIGNER, PUBLIC = "fleet.key", "fleet.pub"
PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64

Key = TypeVar("Key")
_PURPOSE = b"fleet-sim version\n"  # so that nothing else that this key ever signs can pass for a manifest


class Trust(Protocol):
    """Who may publish, and how a reader knows."""

    def seal(self, version: str, manifest: bytes) -> bytes | None:
        """What is written beside the manifest of a version that is published, None for nothing."""

    def check(self, place: str, version: str, manifest: bytes, seal: bytes | None) -> None:
        """Raise RegistryError where this version is not to be believed; `place` names it."""


class Keys:
    """A folder of keys. A seal is the signer's public key, 32 bytes, and the signature, 64."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def seal(self, version: str, manifest: bytes) -> bytes:
        """Sign with the fleet's own key, which is made if there is none."""
        key = self._signer()
        return key.public_key().public_bytes_raw() + key.sign(_PURPOSE + manifest)

    def check(self, place: str, version: str, manifest: bytes, seal: bytes | None) -> None:
        """Raise RegistryError for a missing or wrong signature, or one by a key that is not believed."""
        if seal is None:
            raise RegistryError(f"{place} is not signed; if you know where it is from: fleet-sim models sign")
        if len(seal) != PUBLIC_BYTES + SIGNATURE_BYTES:
            raise RegistryError(
                f"{place}: its signature has {len(seal)} bytes instead of {PUBLIC_BYTES + SIGNATURE_BYTES}"
            )
        public, signature = seal[:PUBLIC_BYTES], seal[PUBLIC_BYTES:]
        if public not in self._trusted():
            raise RegistryError(
                f"{place} is signed with key {fingerprint(public)}, which is not believed here: if it "
                f"should be, put its publisher's {PUBLIC} into {self.folder}, under a name ending in .pub"
            )
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, _PURPOSE + manifest)
        except InvalidSignature as error:
            raise RegistryError(f"{place}: the signature is not that of this manifest") from error

    def _trusted(self) -> set[bytes]:
        return {_read(path, _public).public_bytes_raw() for path in sorted(self.folder.glob("*.pub"))}

    def _signer(self) -> Ed25519PrivateKey:
        path = self.folder / SIGNER
        if not path.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Ed25519PrivateKey.generate()
            _publish_file(
                path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600
            )
        if path.stat().st_mode & 0o077:
            raise RegistryError(f"{path} can be read by others than its owner: chmod 600 {path}")
        key = _read(path, _private)
        if not (self.folder / PUBLIC).exists():
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            _publish_file(self.folder / PUBLIC, pem, mode=0o644)
        return key


class Pinned:
    """Trust in a list of ids, one a line: nothing is signed, and nothing else is believed."""

    def __init__(self, file: Path):
        self._file = Path(file)

    def seal(self, version: str, manifest: bytes) -> None:
        """Add the id to the list."""
        ids = sorted({*self._ids(), version})
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text("".join(f"{known}\n" for known in ids), encoding="ascii")

    def check(self, place: str, version: str, manifest: bytes, seal: bytes | None) -> None:
        """Raise RegistryError where the id is not on the list."""
        if seal is not None:
            raise RegistryError(f"{place} has a signature where none belongs: {self._file.name} vouches here")
        if version not in self._ids():
            raise RegistryError(f"{place} is not listed in {self._file}")

    def _ids(self) -> list[str]:
        return self._file.read_text(encoding="ascii").split() if self._file.exists() else []


def own_keys() -> Keys:
    """The user's folder of keys: $FLEET_SIM_KEYS, else fleet-sim/keys where settings are kept."""
    if folder := os.environ.get(FOLDER):
        return Keys(Path(folder))
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Keys(Path(settings) / "fleet-sim" / "keys")


def fingerprint(public: bytes) -> str:
    """A public key's short name: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def _publish_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file that no reader sees half; where another process was first, its file stays."""
    draft = path.parent / f".draft-{uuid.uuid4().hex}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read(path: Path, loaded: Callable[[bytes], Key]) -> Key:
    try:
        return loaded(path.read_bytes())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RegistryError(f"{path} is no Ed25519 key in PEM: {error}") from error


def _private(pem: bytes) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is another kind of key")
    return key


def _public(pem: bytes) -> Ed25519PublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("it is another kind of key")
    return key
