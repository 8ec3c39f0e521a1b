"""An encoder fine-tuned from another, whole and as a delta against it, at equal precision and packing.

    python -m benchmarks.delta results cifar10.npz

RESULTS is a folder of `fleet-sim reproduce` with its store of trained weights. For every encoder there that
was trained on for the images' own classes from one that is there too: bytes of all its weights packed, bytes
of the delta packed the same, and whether what the delta rebuilds hashes to the version. `bits` is the grid of
the weights of convolutions and matrices (fleet_sim/registry/grid.py), null their full float32. With images (a
second argument, as data.path of an npz): `accuracy`, the share of 2,000 test images that its own decoder
reads rightly from the rounded latent of the encoder on that grid, no neuron pruned.
"""

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from fleet_sim.basics.machine import machine
from fleet_sim.codec.batches import in_fixed_batches, load_frozen
from fleet_sim.codec.camera import raw_latents
from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.registry import Bundle
from fleet_sim.registry.bundle import pack
from fleet_sim.registry.delta import delta_of, rebuilt, whole
from fleet_sim.registry.grid import Tensors, on_grid

GRIDS: tuple[int | None, ...] = (None, 12, 10, 8, 6)
IMAGES, BATCH = 2000, 100


def part(weights: Tensors, name: str) -> Tensors:
    """The tensors of one network, or nothing where it is not there."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}


def version(weights: Tensors, bits: int | None) -> Bundle:
    """An encoder with these weights on a grid."""
    tensors = {"weights": weights if bits is None else on_grid(weights, bits)}
    manifest = {"recipe": "benchmark"}
    identity, _ = pack("encoder", manifest, tensors)
    return Bundle(identity, "encoder", {**manifest, "kind": "encoder"}, tensors)


def accuracy(encoder: Tensors, decoder: Tensors, spec: CodecSpec, images: Path) -> float:
    """Share of test images read rightly from their rounded latents."""
    import torch

    with np.load(images) as file:
        image_MHWC, label_M = file["test_images"][:IMAGES], file["test_labels"][:IMAGES]
    network = load_frozen(build_encoder(spec), encoder, "cpu")
    latent_MN = np.rint(raw_latents(network, spec, image_MHWC, "cpu")).astype(np.float32)
    reader = load_frozen(build_decoder(spec, 10), decoder, "cpu")

    def read(latent_BN: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits_BK: np.ndarray = reader(torch.from_numpy(latent_BN)).numpy()
        return logits_BK

    return float((in_fixed_batches(read, latent_MN, BATCH).argmax(axis=1) == label_M.ravel()).mean())


def main() -> None:
    """Print one JSON line."""
    store, images = Path(sys.argv[1]) / "store", Path(sys.argv[2]) if len(sys.argv) > 2 else None
    records = {
        file.stem.split("-")[1]: json.loads(file.read_text()) for file in sorted(store.glob("*-*.json"))
    }
    rows = []
    for key, record in records.items():
        own_classes = "labels" not in record["settings"].get("data", {})
        for parent in record["needs"] if record["kind"] in ("duphil", "ordered") and own_classes else ():
            names = (f"{record['kind']}-{key}.safetensors", f"{records[parent]['kind']}-{parent}.safetensors")
            new, old = (load_file(store / name) for name in names)
            settings = record["settings"]
            for bits in GRIDS:
                before, after = version(part(old, "encoder"), bits), version(part(new, "encoder"), bits)
                delta, entire = delta_of(before, after), whole(after)
                row = {
                    "recipe": record["kind"],
                    "seed": settings["seed"],
                    "labels_spoilt": settings["data"].get("corruption", 0),
                    "learning_rate": settings["train"]
                    .get(record["kind"], {})
                    .get("learning_rate", "default"),
                    "bits": bits,
                    "whole_bytes": len(entire),
                    "delta_bytes": len(delta),
                    "ratio": round(len(delta) / len(entire), 4),
                    "rebuilt_is_the_version": rebuilt(before, delta).id == after.id,
                }
                if images is not None:
                    spec = CodecSpec(**settings["codec"])
                    row["accuracy"] = accuracy(after.tensors["weights"], part(new, "decoder"), spec, images)
                rows.append(row)
    print(json.dumps({"n": len(rows), "rows": rows, "machine": machine("cpu")}))


if __name__ == "__main__":
    main()
