"""Versions that come with the package."""

import numpy as np
import pytest

from fleet_sim.registry import Registry, RegistryError
from fleet_sim.registry.keys import Pinned
from fleet_sim.registry.shipped import FOLDER, PINNED, opened, ship


def test_heads_follow_their_encoder_under_its_new_id(tmp_path):
    source, folder = Registry(tmp_path / "models"), tmp_path / "shipped"
    weights = {"weights": {"w": np.arange(3.0)}}
    encoder = source.publish("encoder", {"recipe": "x"}, weights)
    source.publish("head", {"encoder": encoder, "head": {"name": "ce"}}, weights)
    ids = ship(tmp_path / "models", "fleet-sim train x.yaml", folder)
    shipped = Registry(folder, Pinned(folder / PINNED))
    versions = {version.kind: version for version in shipped.list()}
    assert set(ids) == {version.id for version in versions.values()}
    assert versions["encoder"].id != encoder
    assert versions["head"].manifest["encoder"] == versions["encoder"].id
    assert all(version.manifest["made_by"] == "fleet-sim train x.yaml" for version in versions.values())
    assert shipped.load(versions["head"].id).tensors["weights"]["w"].tolist() == [0, 1, 2]


def test_what_the_list_does_not_name_is_refused(tmp_path):
    folder = tmp_path / "shipped"
    shipped = Registry(folder, Pinned(folder / PINNED))
    version = shipped.publish("head", {"n": 1}, {})
    shipped.verify(version)
    (folder / version[:16] / "signature.ed25519").write_bytes(bytes(96))
    with pytest.raises(RegistryError, match="has a signature where none belongs"):
        shipped.verify(version)
    (folder / version[:16] / "signature.ed25519").unlink()
    (folder / PINNED).write_text("0" * 64 + "\n")
    with pytest.raises(RegistryError, match=r"is not listed in .*pinned\.txt"):
        shipped.verify(version)


def test_every_shipped_version_is_listed_and_every_listed_one_is_there():
    assert [version.id for version in opened(FOLDER).list()] == (FOLDER / PINNED).read_text().split()
    with pytest.raises(RegistryError, match="is not signed"):
        Registry(FOLDER).list()
