"""The registry: what is read is what was published, or an error that says why."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import sha256_hex
from fleet_sim.registry import Registry, RegistryError

FILES = {
    "weights": {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "steps": np.array(7)},
    "tables": {"ranking_N": np.array([1, 0])},
}
MANIFEST = {"recipe": "e2e", "ladder": (1, 2), "metrics": {"accuracy": 0.5}}


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


@pytest.fixture
def published(registry):
    return registry.publish("encoder", MANIFEST, FILES)


def directory_of(registry, version):
    return registry.root / version[:16]


def publish_in(root):
    return Registry(Path(root)).publish("encoder", MANIFEST, FILES)


def test_load_gives_back_what_was_published(registry, published):
    bundle = registry.load(published, kind="encoder")
    assert (bundle.id, bundle.kind) == (published, "encoder")
    assert bundle.manifest["metrics"] == {"accuracy": 0.5}
    assert bundle.tensors.keys() == FILES.keys()
    for name, tensors in FILES.items():
        for key, array in tensors.items():
            np.testing.assert_array_equal(bundle.tensors[name][key], array, strict=True)


def test_the_id_is_the_hash_of_the_manifest_which_hashes_every_file(registry, published):
    directory = directory_of(registry, published)
    text = (directory / "manifest.json").read_bytes()
    assert sha256_hex(text) == published
    for name, entry in json.loads(text)["files"].items():
        assert entry["sha256"] == sha256_hex((directory / f"{name}.safetensors").read_bytes())


def test_publishing_again_changes_nothing(registry, published):
    before = {p: p.stat().st_mtime_ns for p in registry.root.rglob("*")}
    assert registry.publish("encoder", MANIFEST, FILES) == published
    assert {p: p.stat().st_mtime_ns for p in registry.root.rglob("*")} == before


def test_the_id_does_not_depend_on_the_order_in_which_things_are_given(registry, published):
    def backwards(mapping):
        return dict(reversed(mapping.items()))

    files = backwards({name: backwards(tensors) for name, tensors in FILES.items()})
    assert registry.publish("encoder", backwards(MANIFEST), files) == published


def test_other_weights_are_another_version(registry, published):
    other = registry.publish("encoder", MANIFEST, {**FILES, "tables": {"ranking_N": np.array([0, 1])}})
    assert other != published
    assert [s.id for s in registry.list()] == sorted([published, other])


def test_a_unique_prefix_is_enough(registry, published):
    for length in (1, 8, 16, 17, 64):
        assert registry.load(published[:length]).id == published


def test_an_ambiguous_prefix_names_the_candidates(registry):
    ids = [registry.publish("head", {"n": n}, {}) for n in range(17)]
    digit = next(d for d in "0123456789abcdef" if sum(i[0] == d for i in ids) > 1)
    with pytest.raises(RegistryError, match="ambiguous") as caught:
        registry.load(digit)
    assert all(i[:16] in str(caught.value) for i in ids if i[0] == digit)


@pytest.mark.parametrize("version", ["", "xyz", "../etc", "A" * 64, "0" * 65])
def test_what_is_no_id_is_refused(registry, published, version):
    with pytest.raises(RegistryError, match="is no id"):
        registry.load(version)


def test_an_unknown_version_is_refused(registry, published):
    unknown = "0" * 64 if published[0] != "0" else "1" * 64
    with pytest.raises(RegistryError, match="no version"):
        registry.load(unknown)
    same_directory = published[:-1] + ("0" if published[-1] != "0" else "1")
    with pytest.raises(RegistryError, match="no version"):
        registry.load(same_directory)
    with pytest.raises(RegistryError, match="no version"):
        Registry(registry.root / "nowhere").load(published)


def test_errors_are_the_users_to_mend():
    assert issubclass(RegistryError, UserError)


def test_another_kind_is_refused(registry, published):
    with pytest.raises(RegistryError, match="is of kind encoder, wanted is head"):
        registry.load(published, kind="head")


@pytest.mark.parametrize("manifest", [{"kind": "head"}, {"files": {}}])
def test_a_manifest_that_contradicts_the_call_is_refused(registry, manifest):
    with pytest.raises(RegistryError):
        registry.publish("encoder", manifest, {})
    assert not registry.root.exists()


def test_an_unknown_kind_is_refused(registry):
    with pytest.raises(RegistryError, match="there are encoder, head"):
        registry.publish("decoder", {}, {})


def test_a_file_name_cannot_leave_the_version(registry):
    with pytest.raises(RegistryError, match="cannot name a file"):
        registry.publish("encoder", {}, {"../evil": {}})


def test_every_altered_byte_is_refused(registry, published):
    for path in sorted(directory_of(registry, published).iterdir()):
        original = path.read_bytes()
        for place in range(len(original)):
            altered = bytearray(original)
            altered[place] ^= 1 + place % 255
            path.write_bytes(altered)
            with pytest.raises(RegistryError):
                registry.load(published)
        path.write_bytes(original)
    registry.verify(published)


def test_an_altered_byte_of_a_large_version_is_refused(registry):
    draws = np.random.default_rng(3)
    version = registry.publish("encoder", {}, {"weights": {"w": draws.standard_normal(300_000)}})
    for path in sorted(directory_of(registry, version).iterdir()):
        size = path.stat().st_size
        for place in [0, size - 1, *draws.integers(size, size=30).tolist()]:
            with open(path, "r+b") as file:
                file.seek(place)
                byte = file.read(1)
                file.seek(place)
                file.write(bytes([byte[0] ^ int(draws.integers(1, 256))]))
                file.flush()
                with pytest.raises(RegistryError):
                    registry.verify(version)
                file.seek(place)
                file.write(byte)
    registry.verify(version)


@pytest.mark.parametrize(
    "name", ["manifest.json", "signature.ed25519", "weights.safetensors", "tables.safetensors"]
)
def test_every_truncation_and_a_missing_file_are_refused(registry, published, name):
    path = directory_of(registry, published) / name
    original = path.read_bytes()
    for length in range(len(original)):
        path.write_bytes(original[:length])
        with pytest.raises(RegistryError):
            registry.verify(published)
    path.unlink()
    with pytest.raises(RegistryError, match="is not signed" if "signature" in name else name):
        registry.verify(published)


def test_an_extra_file_is_refused(registry, published):
    (directory_of(registry, published) / "evil.pkl").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"not its own: evil\.pkl"):
        registry.load(published)


def test_a_link_in_place_of_a_file_is_refused(registry, published, tmp_path):
    path = directory_of(registry, published) / "weights.safetensors"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="not a plain file"):
        registry.load(published)


def test_publishing_over_an_altered_version_says_so(registry, published):
    path = directory_of(registry, published) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(RegistryError, match="altered"):
        registry.publish("encoder", MANIFEST, FILES)


def test_a_version_can_be_taken_away_even_if_it_is_bad(registry, published):
    (directory_of(registry, published) / "manifest.json").write_text("{}")
    registry.remove(published)
    assert registry.names() == ()
    assert list(registry.root.iterdir()) == []


def test_a_half_written_version_is_invisible(registry, published):
    draft = registry.root / ".draft-0123"
    draft.mkdir()
    (draft / "manifest.json").write_text("{")
    assert [s.id for s in registry.list()] == [published]
    assert registry.load(published[:1]).id == published


def test_a_failed_publication_leaves_nothing(registry, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.rename", fail)
    with pytest.raises(OSError, match="disk full"):
        registry.publish("encoder", MANIFEST, FILES)
    assert list(registry.root.iterdir()) == []


def test_list_of_a_registry_nobody_published_to_is_empty(registry):
    assert registry.list() == []


def test_two_threads_publishing_at_once_agree(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(publish_in, [tmp_path] * 40))
    assert len(ids) == 1
    assert [p.name for p in tmp_path.iterdir()] == [ids.pop()[:16]]


PUBLISHER = """
import sys
from pathlib import Path
from fleet_sim.registry import Registry
for n in range(30):
    print(Registry(Path(sys.argv[1])).publish("head", {"n": n}, {}))
"""


def test_two_processes_publishing_at_once_agree(tmp_path):
    command = [sys.executable, "-c", PUBLISHER, str(tmp_path)]
    publishers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [publisher.communicate(timeout=60)[0].split() for publisher in publishers]
    assert said[0] == said[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(version[:16] for version in said[0])
