"""A part of a bank, as it travels from servers to shards; knows no torch, so that shards need none."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fleet_sim.engine.cameras import sizes

NO_ANSWERS = np.zeros((0, 0, 0), np.uint16)


@dataclass(frozen=True)
class BankPart:
    """What became of a run of F scenes at each of L levels under each of H heads."""

    payload_bytes_LF: np.ndarray
    ideal_millibits_LF: np.ndarray
    right_HLF: np.ndarray
    escaped_LF: np.ndarray  # bool: is a value outside the tables' range?
    # uint16: the class given, where heads are to be compared
    answer_HLF: np.ndarray = field(default_factory=lambda: NO_ANSWERS)


def joined(parts: Sequence[BankPart]) -> BankPart:
    """Parts that follow each other, as one."""
    return BankPart(
        np.concatenate([part.payload_bytes_LF for part in parts], axis=1),
        np.concatenate([part.ideal_millibits_LF for part in parts], axis=1),
        np.concatenate([part.right_HLF for part in parts], axis=2),
        np.concatenate([part.escaped_LF for part in parts], axis=1),
        np.concatenate([part.answer_HLF for part in parts], axis=2),
    )


def one_scene() -> BankPart:
    """The least there can be: one scene at one level under one head."""
    one = np.ones((1, 1), np.int32)
    return BankPart(one, one, np.ones((1, 1, 1), np.bool_), np.zeros((1, 1), np.bool_))


@dataclass(frozen=True)
class Bank:
    """What became of all F scenes under each of V versions."""

    sizes_VFL2: np.ndarray  # see engine.cameras.sizes
    right_VHLF: np.ndarray
    escaped_VFL: np.ndarray
    answer_VHLF: np.ndarray


def with_head(bank: Bank, version: int, place: int, right_LF: np.ndarray) -> Bank:
    """The bank with the answers that the head at this place, made for a version, gives to its latents."""
    right_VHLF = _with_heads(bank.right_VHLF, place + 1)
    right_VHLF[version, place] = right_LF
    return replace(bank, right_VHLF=right_VHLF)


def _with_heads(right_VHLF: np.ndarray, least: int) -> np.ndarray:
    """A copy with room for so many heads; one that is not there for a version is not asked."""
    versions, heads, levels, scenes = right_VHLF.shape
    roomy_VHLF = np.zeros((versions, max(heads, least), levels, scenes), np.bool_)
    roomy_VHLF[:, :heads] = right_VHLF
    return roomy_VHLF


def with_version(bank: Bank | None, part: BankPart) -> Bank:
    """The bank with one more version, whose `part` holds every scene; in memory of its own."""
    sizes_VFL2 = sizes(part.payload_bytes_LF.T[None], part.ideal_millibits_LF.T[None])
    heads = 0 if bank is None else bank.right_VHLF.shape[1]  # with those that were retrained
    right_VHLF = _with_heads(part.right_HLF[None], heads)
    columns = (sizes_VFL2, right_VHLF, part.escaped_LF.T[None], part.answer_HLF[None])
    if bank is None:
        return Bank(*(np.array(column, order="C") for column in columns))
    before = (bank.sizes_VFL2, bank.right_VHLF, bank.escaped_VFL, bank.answer_VHLF)
    return Bank(*(np.ascontiguousarray(np.concatenate(pair)) for pair in zip(before, columns, strict=True)))
