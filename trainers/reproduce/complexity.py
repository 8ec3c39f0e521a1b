"""Complexity: what camera and server each do, against all on the camera and against sending JPEG."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from fleet_sim.codec.complexity import TAPS
from fleet_sim.codec.message import decode_batch, encode_batch
from fleet_sim.codec.networks import build_decoder, build_encoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.codec.wavelet import analyse
from trainers.reproduce.chart import Chart, Series
from trainers.reproduce.cost import REPEATS, multiply_adds, size, time_us
from trainers.reproduce.figures import hardware
from trainers.reproduce.store import Progress, Record, Step, Store, Subject
from trainers.sameness import deterministic, draws, seeded_weights

_CAMERA, _SERVER = (
    ("wavelet", "encoder", "entropy coder"),
    ("entropy decoder", "latent decoder", "classifier"),
)
_JPEG_QUALITY = 75


@dataclass(frozen=True)
class Measure(Step):
    """Cost of each part for one picture at full level. Weights are fresh: cost does not depend on them."""

    codec: CodecSpec = field(kw_only=True)

    @property
    def title(self) -> str:
        """Which network is measured."""
        return f"cost of {self.codec.depth} at width {self.codec.width}"

    @property
    def settings(self) -> dict[str, Any]:
        """The network."""
        return {"codec": self.codec.model_dump(mode="json", exclude={"ladder", "batch"})}

    def run(self, store: Store, progress: Progress) -> Record:
        """Time every part on one thread of this processor."""
        began_s = time.process_time()
        dataset, codec = self.subject.dataset(), self.codec
        image_HWC = dataset.test_images_NHWC[0]
        with deterministic(1), torch.inference_mode():
            with seeded_weights(0, "complexity"):
                encoder, decoder = (
                    build_encoder(codec).eval(),
                    build_decoder(codec, len(dataset.class_names)).eval(),
                )
            bands_BCHW = torch.from_numpy(analyse(image_HWC[None], codec.wavelet, codec.wavelet_levels))
            # A stand-in of about the spread of trained latents.
            latent_MN = 2 * torch.randn(2000, codec.neurons, generator=draws(0, "complexity")).numpy()
            latent_MN = np.rint(latent_MN).astype(np.int32)
            tables = Tables.fit(latent_MN, np.arange(2000) % 2, [codec.neurons])
            sequence_M = np.arange(len(latent_MN))
            messages = encode_batch(latent_MN, 0, tables, 0, sequence_M)
            code_us = time_us(lambda: encode_batch(latent_MN, 0, tables, 0, sequence_M)) / len(messages)
            read_us = time_us(lambda: decode_batch(messages, tables, 0)) / len(messages)
            latent_BN = torch.from_numpy(latent_MN[:1].astype(np.float32))
            map_BCHW = decoder.latent_decoder(latent_BN)
            taps = image_HWC.size * TAPS[codec.wavelet]  # half of the taps a pixel, once along each axis
            parts = {
                "wavelet": {
                    "multiply_adds": int(taps * sum(0.25**level for level in range(codec.wavelet_levels))),
                    "parameters": 0,
                    "weight_bytes": 0,
                    "time_us": time_us(lambda: analyse(image_HWC[None], codec.wavelet, codec.wavelet_levels)),
                },
                "encoder": _network(encoder, bands_BCHW),
                "entropy coder": _coder(tables, code_us),  # of a message in a batch
                "entropy decoder": _coder(tables, read_us),
                "latent decoder": _network(decoder.latent_decoder, latent_BN),
                "classifier": _network(decoder.classifier, map_BCHW),
            }
        jpeg = io.BytesIO()
        picture = Image.fromarray(image_HWC)
        picture.save(jpeg, format="JPEG", quality=_JPEG_QUALITY)
        encode_us = time_us(lambda: picture.save(io.BytesIO(), format="JPEG", quality=_JPEG_QUALITY))
        decode_us = time_us(lambda: Image.open(io.BytesIO(jpeg.getvalue())).load())
        return {
            "figures": {"parts": parts, "jpeg": {"encode_us": encode_us, "decode_us": decode_us}},
            "cpu_s": time.process_time() - began_s,
        }


def _network(network: torch.nn.Module, given: torch.Tensor) -> dict[str, Any]:
    return {
        "multiply_adds": multiply_adds(network, given),
        **size(network),
        "time_us": time_us(lambda: network(given)),
    }


def _coder(tables: Tables, taken_us: float) -> dict[str, Any]:
    stored = sum(array.nbytes for array in tables.to_arrays().values())
    return {"multiply_adds": 0, "parameters": 0, "weight_bytes": stored, "time_us": taken_us}


def _measured(subjects: Sequence[Subject]) -> list[Measure]:
    """This preset's network and the paper's, of which the cost alone is shown here."""
    codec = subjects[0].scenario.codec
    papers = codec.model_copy(update={"width": 64})
    return [Measure(subjects[0], codec=one) for one in ([codec] if codec.width == 64 else [codec, papers])]


def targets(subjects: Sequence[Subject]) -> list[Step]:
    """One measurement a network."""
    return list(_measured(subjects))


def results(subjects: Sequence[Subject], store: Store) -> dict[str, Any]:
    """Parts of each network, and camera and server in total for three divisions of the work."""
    rows = []
    for step in _measured(subjects):
        figures = store.figures(step)
        parts, jpeg = figures["parts"], figures["jpeg"]
        everything = _sum(parts, ("wavelet", "encoder", "latent decoder", "classifier"))
        jpeg_on_server = everything | {"time_us": everything["time_us"] + jpeg["decode_us"]}
        only_jpeg = {"multiply_adds": 0, "parameters": 0, "weight_bytes": 0, "time_us": jpeg["encode_us"]}
        nothing = dict.fromkeys(only_jpeg, 0)
        rows.append(
            {
                "width": step.codec.width,
                "depth": step.codec.depth,
                "parts": parts,
                "divisions": {
                    "divided": {"camera": _sum(parts, _CAMERA), "server": _sum(parts, _SERVER)},
                    "all on the camera": {"camera": everything, "server": nothing},
                    f"JPEG {_JPEG_QUALITY} to the server": {"camera": only_jpeg, "server": jpeg_on_server},
                },
                "n": REPEATS,
                "hardware": hardware(step, store),
            }
        )
    return {"rows": rows}


def _sum(parts: dict[str, dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    return {key: sum(parts[name][key] for name in names) for key in parts[names[0]]}


def charts(found: dict[str, Any]) -> list[Chart]:
    """Time of each part."""
    names = [*_CAMERA, *_SERVER]
    series = [
        Series(
            name=f"width {row['width']}",
            x=range(len(names)),
            y=[row["parts"][name]["time_us"] / 1000 for name in names],
            colour=colour,
            line=False,
        )
        for colour, row in enumerate(found["rows"])
    ]
    title = "Time of each part for one picture, one thread"
    return [Chart(title, "part", "milliseconds", series, categories=names)]
