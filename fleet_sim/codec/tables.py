"""What a version needs beside its weights: ranking, frequencies, constants for pruned neurons, the ladder.

Everything is in ranked order: column j belongs to the j-th best neuron, `ranking_N[j]` is its place in the
encoder's output. Shapes: M samples, N neurons, k kept, S symbols, L levels.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fleet_sim.codec.coder import ESCAPE_BITS, TOTAL, Coder
from fleet_sim.codec.histogram import fit_frequencies
from fleet_sim.codec.ranking import discriminative_power, rank

SAMPLE = 500  # latents really coded to measure the mean payload of a level

_DTYPES = {"fill_N": np.float32}


@dataclass(frozen=True, eq=False)
class Tables:
    """The immutable tables of one encoder version."""

    ranking_N: NDArray[np.int64]
    frequencies_NS: NDArray[np.int64]
    """Each row sums to 4096, every entry is at least 1, the last symbol is the escape."""
    offset_N: NDArray[np.int64]
    """The value that symbol 0 stands for."""
    fill_N: NDArray[np.float32]
    """Mean over the training set: what a server assumes of a pruned neuron."""
    mean_payload_bits_L: NDArray[np.int64]
    ladder_L: NDArray[np.int64]
    """Kept neurons at each level, rising."""

    @classmethod
    def fit(
        cls,
        latent_MN: NDArray[np.int32],
        labels_M: NDArray[np.integer],
        ladder: Sequence[int],
        ranking_N: NDArray[np.int64] | None = None,
    ) -> "Tables":
        """Rank neurons and count values over a training set; `latent_MN` is rounded, in the encoder's order.

        Neurons are ranked by discriminative power unless the encoder was trained to a `ranking_N`. Mean
        payloads are those of at most 500 evenly spaced training latents, really coded.
        """
        if ranking_N is None:
            ranking_N = rank(discriminative_power(latent_MN, labels_M))
        ranked_MN = latent_MN[:, ranking_N]
        frequencies_NS, offset_N = fit_frequencies(ranked_MN)
        coder = Coder(frequencies_NS, offset_N)
        sample_mN = ranked_MN[:: -(-len(ranked_MN) // SAMPLE)]
        mean_payload_bits = [
            round(8 * len(coder.encode(sample_mN[:, :kept]).bytes_B) / len(sample_mN)) for kept in ladder
        ]
        return cls(
            ranking_N=ranking_N,
            frequencies_NS=frequencies_NS,
            offset_N=offset_N,
            fill_N=ranked_MN.mean(axis=0, dtype=np.float64).astype(np.float32),
            mean_payload_bits_L=np.array(mean_payload_bits, dtype=np.int64),
            ladder_L=np.array(ladder, dtype=np.int64),
        )

    def __post_init__(self) -> None:
        neurons, symbols = self.frequencies_NS.shape
        right = (
            all(getattr(self, f.name).dtype == _DTYPES.get(f.name, np.int64) for f in fields(self))
            and all(a.shape == (neurons,) for a in (self.ranking_N, self.offset_N, self.fill_N))
            and self.mean_payload_bits_L.shape == self.ladder_L.shape
            and np.array_equal(np.sort(self.ranking_N), np.arange(neurons))
            and symbols >= 2
            and bool((self.frequencies_NS >= 1).all() and (self.frequencies_NS.sum(axis=1) == TOTAL).all())
            and self.ladder_L.size >= 1
            and bool((np.diff(self.ladder_L, prepend=0) > 0).all() and self.ladder_L[-1] <= neurons)
        )
        if not right:
            raise ValueError("no tables: shapes, types, ranking, frequencies or ladder do not fit")

    @property
    def neurons(self) -> int:
        """Bottleneck neurons of the version, N."""
        return len(self.ranking_N)

    @cached_property
    def coder(self) -> Coder:
        """The entropy coder with these frequencies."""
        return Coder(self.frequencies_NS, self.offset_N)

    @cached_property
    def millibits_NS(self) -> NDArray[np.int64]:
        """Ideal cost of each symbol in thousandths of a bit; the escape's includes its 32 bits."""
        millibits_NS: NDArray[np.int64] = np.rint(-1000 * np.log2(self.frequencies_NS / TOTAL)).astype(
            np.int64
        )
        millibits_NS[:, -1] += 1000 * ESCAPE_BITS
        return millibits_NS

    @cached_property
    def expected_millibits_L(self) -> NDArray[np.int64]:
        """Ideal size of a message at each level, in the mean over what the frequencies were counted on."""
        mean_N = (self.frequencies_NS * self.millibits_NS).sum(axis=1) / TOTAL
        expected_L: NDArray[np.int64] = np.rint(np.cumsum(mean_N)[self.ladder_L - 1]).astype(np.int64)
        return expected_L

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """The arrays by name, as they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "Tables":
        """The tables stored by `to_arrays`; raises ValueError for arrays that are none."""
        names = {field.name for field in fields(cls)}
        if set(arrays) != names:
            raise ValueError(f"tables have the arrays {sorted(names)}, not {sorted(arrays)}")
        return cls(**arrays)  # type: ignore[arg-type]

    def digest(self) -> str:
        """SHA-256 (hex) over every array's name, shape and little-endian bytes."""
        whole = hashlib.sha256()
        for name, array in sorted(self.to_arrays().items()):
            whole.update(f"{name} {array.dtype.kind}{array.dtype.itemsize} {array.shape}\n".encode())
            whole.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        return whole.hexdigest()


def fill(latent_Mk: NDArray[np.int32], tables: Tables) -> NDArray[np.float32]:
    """Latents in the encoder's order (M, N) from the first k ranked values; pruned neurons get their mean."""
    kept = latent_Mk.shape[1]
    whole_MN = np.empty((len(latent_Mk), tables.neurons), dtype=np.float32)
    whole_MN[:, tables.ranking_N[:kept]] = latent_Mk
    whole_MN[:, tables.ranking_N[kept:]] = tables.fill_N[kept:]
    return whole_MN
