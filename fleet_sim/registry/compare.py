"""In what two versions differ: manifests, ranking, tables, weights."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fleet_sim.registry.bundle import Bundle

_ABSENT = "-"


class Difference(NamedTuple):
    """One thing that is not the same in both; of values in words, of tensors in figures."""

    part: str  # manifest, or the name of a file
    name: str
    first: str
    second: str


def differences(first: Bundle, second: Bundle) -> list[Difference]:
    """All differences between two versions, in order of part and name; none where they are the same.

    Of two tensors of one shape and type `first` is the share of values that differ and `second` the norm of
    the difference over that of the first, or, for a ranking, how many of its best neurons are the same ones
    (of the better half) and Spearman's correlation of the places.
    """
    found = [
        Difference("manifest", name, *(_shown(values.get(name)) for values in (ours, theirs)))
        for ours, theirs in [(dict(leaves("", b.manifest)) for b in (first, second))]
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    for file in sorted(first.tensors.keys() | second.tensors.keys()):
        ours_by_name, theirs_by_name = first.tensors.get(file, {}), second.tensors.get(file, {})
        for name in sorted(ours_by_name.keys() | theirs_by_name.keys()):
            words = _tensors(name, ours_by_name.get(name), theirs_by_name.get(name))
            if words is not None:
                found.append(Difference(file, name, *words))
    return found


def _tensors(
    name: str, ours: NDArray[np.generic] | None, theirs: NDArray[np.generic] | None
) -> tuple[str, str] | None:
    if ours is None or theirs is None or ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return _form(ours), _form(theirs)
    if np.array_equal(ours, theirs):
        return None
    if name == "ranking_N":
        half = len(ours) // 2
        shared = len(set(ours[:half].tolist()) & set(theirs[:half].tolist()))
        correlation = np.corrcoef(np.argsort(ours), np.argsort(theirs))[0, 1]
        return f"{shared} of the best {half} shared", f"places correlate by {correlation:.3f}"
    apart = theirs.astype(np.float64) - ours.astype(np.float64)
    whole = float(np.linalg.norm(ours.astype(np.float64)))
    relative = f"{np.linalg.norm(apart) / whole:.2%} of its norm" if whole else "from all zeros"
    return f"{np.mean(apart != 0):.1%} of {ours.size:,} values differ", relative


def _form(tensor: NDArray[np.generic] | None) -> str:
    return _ABSENT if tensor is None else f"{tensor.dtype} {list(tensor.shape)}"


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a manifest says at `path` and below, each by its full path."""
    if isinstance(value, Mapping) and value:
        for name, inner in sorted(value.items()):
            yield from leaves(f"{path}.{name}" if path else name, inner)
    else:
        yield path, value


def _shown(value: Any) -> str:
    if value is None:
        return _ABSENT
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
