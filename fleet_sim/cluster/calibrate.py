"""How long a server takes for a batch, measured here: from the bytes of its messages to the classes."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.machine import processor
from fleet_sim.codec.head import Head, LinearHead, NetworkHead
from fleet_sim.codec.message import decode_batch, encode_batch
from fleet_sim.codec.networks import build_decoder
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables
from fleet_sim.serving.table import Decoder, Kind, TableRow

ROUNDS, MOST_SECONDS = 200, 6.0  # of measuring one head
LEAST_ROUNDS = 15
PAUSE_S = 0.002
"""Before each batch, as a server waits for frames: back to back, weights would still be in the cache."""
CLASSES = 10
KINDS: tuple[Kind, ...] = ("ce", "kl", "svm")
USUAL = (Decoder("tiny", 16, 64), Decoder("resnet18", 16, 128), Decoder("resnet18", 64, 128))
"""The decoders of the scenarios in the repository, and the paper's."""


class BatchDecoder:
    """A head with what it takes to read messages: the work of a server on one batch."""

    def __init__(self, head: Head, tables: Tables, contract_id: int):
        self._head, self._tables, self._contract_id = head, tables, contract_id

    def answer(self, messages: Sequence[bytes]) -> np.ndarray:
        """Classes (M,) of whole messages of any levels, in one batch; raises MessageError for another."""
        latent_MN, level_M, _, refused = decode_batch(messages, self._tables, self._contract_id)
        if refused:
            raise refused[min(refused)]
        return self._head.classify_together(latent_MN, level_M)


def sizes_up_to(batch: int) -> tuple[int, ...]:
    """Powers of two below `batch`, and `batch`."""
    return (*(2**n for n in range(batch.bit_length()) if 2**n < batch), batch)


def medians_us(
    answer: Callable[[Sequence[bytes]], object],
    messages: Sequence[bytes],
    batches: Sequence[int],
) -> tuple[int, ...]:
    """Median microseconds of a batch of each size, made to rise where noise has them fall.

    Sizes take turns, so that a machine that is busy for a while slows all of them alike; the first turn warms
    up. Needs as many messages as the largest batch has frames.
    """
    took_us: list[list[float]] = [[] for _ in batches]
    began = time.monotonic()
    for turn in range(ROUNDS + 1):
        if turn > LEAST_ROUNDS and time.monotonic() - began > MOST_SECONDS:
            break
        for place, batch in enumerate(batches):
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            answer(messages[:batch])
            if turn:
                took_us[place].append(1e6 * (time.perf_counter() - start))
    rising = np.maximum.accumulate([float(np.median(times)) for times in took_us])
    return tuple(max(1, round(us)) for us in rising.tolist())


def measured(decoders: Iterable[Decoder], device: str, batch: int) -> Iterator[TableRow]:
    """A row for every kind of head of each decoder, as it is done; weights are random, which costs no time.

    Levels of a batch are mixed evenly. Servers use one thread of a processor each, so this does. Raises
    UserError where there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("calibrate: there is no CUDA GPU here; measure with --device cpu")
    name = torch.cuda.get_device_name() if device == "cuda" else processor() or platform.machine()
    batches = sizes_up_to(batch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for decoder in decoders:
            spec = CodecSpec(depth=decoder.depth, width=decoder.width, neurons=decoder.neurons)  # type: ignore[arg-type]
            tables, messages = _probe(spec, batch)
            for kind in KINDS:
                answer = BatchDecoder(_head(kind, spec, tables, device), tables, 0).answer
                yield TableRow(
                    device="cuda" if device == "cuda" else "cpu",
                    processor=name,
                    head=kind,
                    **decoder._asdict(),
                    batches=batches,
                    service_us=medians_us(answer, messages, batches),
                )
    finally:
        torch.set_num_threads(threads)


def _probe(spec: CodecSpec, batch: int) -> tuple[Tables, list[bytes]]:
    """Tables of made-up latents, and messages of these whose levels take turns."""
    draws = np.random.default_rng(1)
    latent_MN = np.rint(draws.normal(0, 2, (1000, spec.neurons))).astype(np.int32)
    tables = Tables.fit(latent_MN, np.arange(1000) % CLASSES, spec.ladder)
    sent_MN = latent_MN[np.arange(batch) % 1000][:, tables.ranking_N]
    return tables, [
        encode_batch(sent_MN[m : m + 1], m % len(spec.ladder), tables, 0, [m])[0] for m in range(batch)
    ]


def _head(kind: Kind, spec: CodecSpec, tables: Tables, device: str) -> Head:
    if kind == "svm":
        weights = {"coef_KN": np.ones((CLASSES, spec.neurons)), "intercept_K": np.zeros(CLASSES)}
        return LinearHead(weights, tables, spec.batch)
    state = {name: tensor.numpy() for name, tensor in build_decoder(spec, CLASSES).state_dict().items()}
    return NetworkHead(spec, CLASSES, state, tables, device)
