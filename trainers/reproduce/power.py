"""Discriminative power layer by layer, on test images.

Shapes: M images, C channels of a layer, H W positions.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fleet_sim.codec.batches import load_frozen
from fleet_sim.codec.networks import BasicBlock, build_decoder, build_encoder
from fleet_sim.codec.ranking import scatters
from fleet_sim.codec.wavelet import analyse
from trainers.reproduce.store import Progress, Record, Step, Store
from trainers.reproduce.training import Train, saved_weights
from trainers.sameness import deterministic

Layers = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Power(Step):
    """tr(S_b) / tr(S_w) of each layer from stem to logits.

    `layer_power` takes the whole layer as one vector, `best_power` its best filter or neuron, `mean_power`
    the mean over them. A filter counts by its spatially averaged activation, after its ReLU where it has one.
    """

    trained: Train = field(kw_only=True)

    @property
    def title(self) -> str:
        """Whose layers they are."""
        return f"discriminative power of {self.trained.title}"

    @property
    def needs(self) -> tuple[Step, ...]:
        """The networks."""
        return (self.trained,)

    def run(self, store: Store, progress: Progress) -> Record:
        """Run the whole chain as deployed, rounding included, on all test images."""
        began_s = time.process_time()
        scenario, codec = self.subject.scenario, self.subject.scenario.codec
        dataset = self.subject.dataset()
        encoder = build_encoder(codec)
        decoder = build_decoder(codec, len(dataset.class_names))
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            load_frozen(network, saved_weights(store, self.trained, name), scenario.train.device)
        images_MHWC = dataset.test_images_NHWC
        seen: dict[str, list[NDArray[np.float32]]] = {}

        def note(name: str, output: Tensor) -> None:
            average = output.mean(dim=(2, 3)) if output.ndim == 4 else output
            seen.setdefault(name, []).append(average.cpu().numpy())

        with deterministic(scenario.train.threads), torch.inference_mode():
            for network in (encoder, decoder):
                for name, layer in watched(network).items():
                    layer.register_forward_hook(lambda _m, _i, output, name=name: note(name, output))
            for start in range(0, len(images_MHWC), codec.batch):
                images_BHWC = images_MHWC[start : start + codec.batch]
                bands_BCHW = torch.from_numpy(analyse(images_BHWC, codec.wavelet, codec.wavelet_levels))
                latent_BN = torch.round(encoder(bands_BCHW.to(scenario.train.device)))
                note("latent", latent_BN)
                decoder(latent_BN)
                progress("test images", start + len(images_BHWC), len(images_MHWC), {})
        powers = [
            {"layer": name, **layer_power(np.concatenate(parts), dataset.test_labels_N)}
            for name, parts in seen.items()
        ]
        return {"figures": {"layers": powers}, "cpu_s": time.process_time() - began_s}


def watched(network: nn.Module) -> dict[str, nn.Module]:
    """The modules of an encoder or decoder whose outputs are its layers' activations, by name.

    A residual block has two: its first convolution after ReLU, and its sum with the shortcut after ReLU.
    """
    last = ("latent_decoder.layers.4", "classifier.linear")  # which no ReLU follows
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.ReLU | BasicBlock) or name in last
    }


def layer_power(activation_MC: NDArray[np.floating], labels_M: NDArray[np.integer]) -> dict[str, Any]:
    """The three figures of one layer; channels that never vary within a class are left out of the mean."""
    between_C, within_C = scatters(activation_MC, labels_M)
    varying_C = within_C > 0
    power_C = between_C[varying_C] / within_C[varying_C]
    if not varying_C.any():
        return {"layer_power": 0.0, "best_power": 0.0, "mean_power": 0.0}
    return {
        "layer_power": float(between_C.sum() / within_C.sum()),
        "best_power": float(power_C.max()),
        "mean_power": float(power_C.mean()),
    }
