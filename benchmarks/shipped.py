"""The package's own versions as a server has them: heads that answer, and messages for these to read."""

from pathlib import Path

import numpy as np

from fleet_sim.cluster.calibrate import BatchDecoder
from fleet_sim.codec.camera import FrozenEncoder
from fleet_sim.codec.contract import contract_id
from fleet_sim.codec.head import load_head
from fleet_sim.codec.message import encode_batch
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.registry.shipped import FOLDER, opened

MESSAGES = 512


def decoder(name: str, device: str = "cpu") -> BatchDecoder:
    """The head of that name, read from its files, verified and built."""
    registry = opened(FOLDER)
    heads = {v.manifest["head"]["name"]: v for v in registry.list() if v.kind == "head"}
    head = registry.load(heads[name].id)
    encoder = registry.load(head.manifest["encoder"])
    tables = Tables.from_arrays(encoder.tensors["tables"])
    made = load_head(
        head.manifest, CodecSpec.model_validate(encoder.manifest["codec"]), head.tensors, tables, device
    )
    return BatchDecoder(made, tables, contract_id(encoder.manifest["contract_hash"]))


def messages(images: Path | None = None) -> list[bytes]:
    """MESSAGES messages, levels in turn: of test images in an .npz, or of made-up ones."""
    registry = opened(FOLDER)
    (encoder,) = (registry.load(v.id) for v in registry.list() if v.kind == "encoder")
    tables = Tables.from_arrays(encoder.tensors["tables"])
    draws = np.random.default_rng(1)
    coarse_MHWC = draws.integers(0, 256, (MESSAGES, 4, 4, 3), dtype=np.uint8)
    images_MHWC = coarse_MHWC.repeat(8, axis=1).repeat(8, axis=2)
    if images is not None:
        images_MHWC = np.load(images)["test_images"][:MESSAGES]
    spec = CodecSpec.model_validate(encoder.manifest["codec"])
    latent_MN = FrozenEncoder(spec, encoder.tensors["weights"], tables).latents(images_MHWC)
    identity = contract_id(encoder.manifest["contract_hash"])
    return [
        encode_batch(latent_MN[m : m + 1], m % len(tables.ladder_L), tables, identity, [m])[0]
        for m in range(MESSAGES)
    ]
