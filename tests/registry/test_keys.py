"""Signatures: whose versions are believed, and that the signing key stays with its owner."""

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet_sim.registry import Keys, Registry, RegistryError, own_keys
from fleet_sim.registry.keys import PUBLIC, SIGNER, fingerprint


@pytest.fixture
def mine(tmp_path):
    return Keys(tmp_path / "mine")


@pytest.fixture
def published(tmp_path, mine):
    registry = Registry(tmp_path / "models", mine)
    return registry, registry.publish("head", {"n": 1}, {})


def seal_of(registry, version):
    return registry.root / version[:16] / "signature.ed25519"


def test_the_key_is_made_once_and_only_its_owner_can_read_it(mine, published):
    registry, _version = published
    key = (mine.folder / SIGNER).read_bytes()
    assert (mine.folder / SIGNER).stat().st_mode & 0o777 == 0o600
    assert mine.folder.stat().st_mode & 0o777 == 0o700
    registry.publish("head", {"n": 2}, {})
    assert (mine.folder / SIGNER).read_bytes() == key
    assert sorted(path.name for path in mine.folder.iterdir()) == [SIGNER, PUBLIC]


def test_the_seal_is_a_plain_ed25519_signature_that_anyone_can_check(published):
    registry, version = published
    seal = seal_of(registry, version).read_bytes()
    manifest = (registry.root / version[:16] / "manifest.json").read_bytes()
    Ed25519PublicKey.from_public_bytes(seal[:32]).verify(seal[32:], b"fleet-sim version\n" + manifest)


def test_a_key_that_others_can_read_signs_nothing(mine, published):
    (mine.folder / SIGNER).chmod(0o640)
    with pytest.raises(RegistryError, match="can be read by others than its owner: chmod 600"):
        published[0].publish("head", {"n": 2}, {})


def test_a_strangers_version_is_refused_until_its_public_key_is_taken_in(tmp_path, mine, published):
    registry, version = published
    other = Keys(tmp_path / "other")
    reader = Registry(registry.root, other)
    public = seal_of(registry, version).read_bytes()[:32]
    for door in (
        reader.load,
        reader.summary,
        lambda _: reader.list(),
        lambda _: reader.publish("head", {"n": 1}, {}),
    ):
        with pytest.raises(
            RegistryError, match=f"signed with key {fingerprint(public)}, which is not believed"
        ):
            door(version)
    other.folder.mkdir(exist_ok=True)
    (other.folder / "mine.pub").write_bytes((mine.folder / PUBLIC).read_bytes())
    assert reader.load(version).id == version


def test_a_signature_of_another_version_is_refused(published):
    registry, version = published
    other = registry.publish("head", {"n": 2}, {})
    seal_of(registry, version).write_bytes(seal_of(registry, other).read_bytes())
    with pytest.raises(RegistryError, match="the signature is not that of this manifest"):
        registry.load(version)


def test_an_unsigned_version_is_refused(published):
    registry, version = published
    seal_of(registry, version).unlink()
    with pytest.raises(RegistryError, match=f"version {version[:16]} is not signed"):
        registry.load(version)


def test_every_change_of_every_byte_of_a_signature_is_refused(mine, published):
    registry, version = published
    manifest = (registry.root / version[:16] / "manifest.json").read_bytes()
    seal = seal_of(registry, version).read_bytes()
    mine.check("it", version, manifest, seal)
    for place in range(len(seal)):
        for change in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            altered = bytearray(seal)
            altered[place] ^= change
            with pytest.raises(RegistryError):
                mine.check("it", version, manifest, bytes(altered))


def test_what_is_no_ed25519_key_is_named(tmp_path, mine, published):
    other = rsa.generate_private_key(65537, 2048).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for content in (pem, b"nonsense"):
        (mine.folder / "odd.pub").write_bytes(content)
        with pytest.raises(RegistryError, match=r"odd\.pub is no Ed25519 key in PEM"):
            published[0].list()


def test_the_users_own_folder_is_where_settings_are_kept(monkeypatch, tmp_path):
    monkeypatch.delenv("FLEET_SIM_KEYS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert own_keys().folder == tmp_path / "fleet-sim" / "keys"


MAKER = """
import sys
from pathlib import Path
from fleet_sim.registry.keys import Keys
print(Keys(Path(sys.argv[1])).seal("", b"x").hex())
"""


def test_processes_that_need_the_first_key_at_once_get_the_same(tmp_path):
    makers = [
        subprocess.Popen([sys.executable, "-c", MAKER, str(tmp_path / "keys")], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    assert len({maker.communicate(timeout=60)[0] for maker in makers}) == 1
