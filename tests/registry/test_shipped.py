"""Versions that come with the package."""

import numpy as np

from fleet_sim.registry import Registry
from fleet_sim.registry.shipped import ship


def test_heads_follow_their_encoder_under_its_new_id(tmp_path):
    source = Registry(tmp_path / "models")
    weights = {"weights": {"w": np.arange(3.0)}}
    encoder = source.publish("encoder", {"recipe": "x"}, weights)
    source.publish("head", {"encoder": encoder, "head": {"name": "ce"}}, weights)
    ids = ship(tmp_path / "models", "fleet-sim train x.yaml", tmp_path / "shipped")
    versions = {version.kind: version for version in Registry(tmp_path / "shipped").list()}
    assert set(ids) == {version.id for version in versions.values()}
    assert versions["encoder"].id != encoder
    assert versions["head"].manifest["encoder"] == versions["encoder"].id
    assert all(version.manifest["made_by"] == "fleet-sim train x.yaml" for version in versions.values())
    assert Registry(tmp_path / "shipped").load(versions["head"].id).tensors["weights"]["w"].tolist() == [
        0,
        1,
        2,
    ]
