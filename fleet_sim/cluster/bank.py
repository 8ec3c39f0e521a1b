"""A part of a bank, as it travels from servers to shards; knows no torch, so that shards need none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BankPart:
    """What became of a run of F scenes at each of L levels under each of H heads."""

    payload_bytes_LF: np.ndarray
    ideal_millibits_LF: np.ndarray
    right_HLF: np.ndarray


def joined(parts: Sequence[BankPart]) -> BankPart:
    """Parts that follow each other, as one."""
    return BankPart(
        np.concatenate([part.payload_bytes_LF for part in parts], axis=1),
        np.concatenate([part.ideal_millibits_LF for part in parts], axis=1),
        np.concatenate([part.right_HLF for part in parts], axis=2),
    )


@dataclass(frozen=True)
class Bank:
    """What became of all F scenes under each of V versions."""

    payload_bytes_VFL: np.ndarray  # scene by scene, since a frame's level is picked when its scene is known
    ideal_millibits_VFL: np.ndarray
    right_VHLF: np.ndarray


def with_version(bank: Bank | None, part: BankPart) -> Bank:
    """The bank with one more version, whose `part` holds every scene; in memory of its own."""
    columns = (part.payload_bytes_LF.T[None], part.ideal_millibits_LF.T[None], part.right_HLF[None])
    if bank is None:
        return Bank(*(np.array(column, order="C") for column in columns))
    before = (bank.payload_bytes_VFL, bank.ideal_millibits_VFL, bank.right_VHLF)
    return Bank(*(np.ascontiguousarray(np.concatenate(pair)) for pair in zip(before, columns, strict=True)))
