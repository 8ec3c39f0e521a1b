"""Simpler ways to the same answer: classify on the camera, or on the server behind a picture codec.

The classifier is the E2E network, whole and without rounding, trained on clean pictures.
"""

import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fleet_sim.codec.batches import in_fixed_batches, load_frozen
from fleet_sim.codec.camera import raw_latents
from fleet_sim.codec.message import HEADER_BYTES
from fleet_sim.codec.networks import build_decoder, build_encoder
from trainers.reproduce.still import SETTINGS, send
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train, saved_weights
from trainers.sameness import deterministic


@dataclass(frozen=True)
class Baselines(Step):
    """Bits and test accuracy of a label sent by the camera, and of pictures sent at each setting."""

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Which classifier is used."""
        return f"labels and pictures, read by {self.trained.title}"

    @property
    def needs(self) -> tuple[Step, ...]:
        """The classifier."""
        return (self.trained,)

    @property
    def settings(self) -> dict[str, Any]:
        """How pictures are sent."""
        header_bytes = self.subject.scenario.link.header_bytes
        return {"pictures": [asdict(setting) for setting in SETTINGS], "link_header_bytes": header_bytes}

    @property
    def cost(self) -> float:
        """About as much as five passes of training."""
        return 5.0

    def run(self, store: Store, progress: Progress) -> Record:
        """Code, decode and classify every test image at every setting."""
        began_s = time.process_time()
        scenario, dataset = self.subject.scenario, self.subject.dataset()
        codec, device, classes = scenario.codec, scenario.train.device, len(dataset.class_names)
        networks = {"encoder": build_encoder(codec), "decoder": build_decoder(codec, classes)}
        for name, network in networks.items():
            load_frozen(network, saved_weights(store, self.trained, name), device)

        def logits(latent_BN: NDArray[np.float32]) -> NDArray[np.float32]:
            logits_BK: NDArray[np.float32] = (
                networks["decoder"](torch.from_numpy(latent_BN).to(device)).cpu().numpy()
            )
            return logits_BK

        def accuracy(images_MHWC: NDArray[np.uint8]) -> float:
            latent_MN = raw_latents(networks["encoder"], codec, images_MHWC, device)
            with torch.inference_mode():
                answer_M = in_fixed_batches(logits, latent_MN, codec.batch).argmax(axis=1)
            return float((answer_M == dataset.test_labels_N).mean())

        header_bits = 8 * (HEADER_BYTES + scenario.link.header_bytes)
        with deterministic(scenario.train.threads):
            label_bits = 8.0 * math.ceil(math.log2(classes) / 8)
            label = {
                "ideal_bits": math.log2(classes),
                "payload_bits": label_bits,
                "wire_bits": label_bits + header_bits,
                "accuracy": accuracy(dataset.test_images_NHWC),
            }
            pictures = []
            for done, setting in enumerate(SETTINGS):
                sent = [send(Image.fromarray(image_HWC), setting) for image_HWC in dataset.test_images_NHWC]
                bits = 8 * float(np.mean([sent_bytes for _, sent_bytes in sent]))
                received_MHWC = np.stack([np.asarray(picture) for picture, _ in sent])
                pictures.append(
                    asdict(setting)
                    | {
                        "payload_bits": bits,
                        "wire_bits": bits + header_bits,
                        "accuracy": accuracy(received_MHWC),
                    }
                )
                progress("setting", done + 1, len(SETTINGS), {})
        return {"figures": {"label": label, "pictures": pictures}, "cpu_s": time.process_time() - began_s}
