"""A version as what it differs in from another: lossless, checked by the version's own hashes.

A float32 tensor whose rows lie on coarse grids (see `grid`) is written as differences in steps, any other by
exclusive-or with the one before; bytes of one weight lie apart by their place, which packs better. Packing is
LZMA. The delta names both versions, and what it rebuilds is believed only if it hashes to the new one's id.

Layout, all packed: 8 bytes little-endian length of a JSON header, the header, the planes of all tensors by
file and name; of one on a grid the exponents of its rows come first, as differences from the old one's.
"""

import json
import lzma
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet_sim.basics.hashing import canonical_json
from fleet_sim.registry.bundle import Bundle, RegistryError, pack
from fleet_sim.registry.grid import Tensors, step_exponents

_MOST_STEPS = 2**30  # a grid so fine that differences would need more than 32 bits is none
_PACKING = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 22}]


def delta_of(old: Bundle, new: Bundle) -> bytes:
    """What a holder of `old` needs to rebuild `new`."""
    parts: list[bytes] = []
    files = {
        name: {
            tensor: _write(old.tensors.get(name, {}).get(tensor), value, parts)
            for tensor, value in sorted(tensors.items())
        }
        for name, tensors in sorted(new.tensors.items())
    }
    header = canonical_json({"old": old.id, "new": new.id, "manifest": new.manifest, "files": files})
    content = len(header).to_bytes(8, "little") + header + b"".join(parts)
    return lzma.compress(content, lzma.FORMAT_RAW, filters=_PACKING)


def rebuilt(old: Bundle, delta: bytes) -> Bundle:
    """The version that a delta leads to from `old`; raises RegistryError unless it hashes to its id."""
    try:
        content = lzma.decompress(delta, lzma.FORMAT_RAW, filters=_PACKING)
        length = int.from_bytes(content[:8], "little")
        header, planes = json.loads(content[8 : 8 + length]), content[8 + length :]
        if header["old"] != old.id:
            raise RegistryError(f"this delta is for version {header['old'][:16]}, not for {old.id[:16]}")
        files, at = dict[str, Tensors](), 0
        for name, tensors in header["files"].items():
            files[name] = {}
            for tensor, how in tensors.items():
                files[name][tensor], at = _read(old.tensors.get(name, {}).get(tensor), how, planes, at)
        manifest = {key: value for key, value in header["manifest"].items() if key not in ("kind", "files")}
        version, _ = pack(header["manifest"]["kind"], manifest, files)
    except (ValueError, KeyError, TypeError, lzma.LZMAError) as error:
        if isinstance(error, RegistryError):
            raise
        raise RegistryError(f"this is no whole delta: {error}") from error
    if version != header["new"]:
        raise RegistryError(
            f"what this delta rebuilds is {version[:16]}, not {header['new'][:16]}: it is damaged"
        )
    return Bundle(version, header["manifest"]["kind"], header["manifest"], files)


def whole(bundle: Bundle) -> bytes:
    """A version for a holder of nothing, packed as a delta is."""
    return delta_of(Bundle("", bundle.kind, {}, {}), bundle)


def _write(old: NDArray[np.generic] | None, new: NDArray[np.generic], parts: list[bytes]) -> dict[str, Any]:
    """Add a tensor's planes; gives what is needed to read them."""
    how: dict[str, Any] = {"type": new.dtype.str, "shape": list(new.shape)}
    before = _like(old, how)
    if new.dtype == np.float32 and new.ndim >= 2 and new.size and np.isfinite(new).all():
        exponent_R = step_exponents(np.asarray(new, np.float32))
        steps_RV, before_RV = _steps(new, exponent_R), _steps(before, exponent_R)
        coarse = max(np.abs(steps_RV).max(), np.abs(before_RV).max()) < _MOST_STEPS
        if coarse and _values(steps_RV + 0.0, exponent_R).tobytes() == _bytes(new):  # no zero below zero
            apart_RV = (steps_RV - before_RV).astype(np.int64)
            zigzag = ((apart_RV << 1) ^ (apart_RV >> 63)).astype(
                "<u4"
            )  # small numbers of either sign are small
            moved_R = (exponent_R - _exponents(before)).astype("<i2")
            parts.extend((_planes(moved_R.tobytes(), 2), _planes(zigzag.tobytes(), 4)))
            return how | {"grid": True}
    size = new.dtype.itemsize
    bits = np.frombuffer(_bytes(new), np.uint8) ^ np.frombuffer(_bytes(before), np.uint8)
    parts.append(_planes(bits.tobytes(), size))
    return how


def _read(
    old: NDArray[np.generic] | None, how: Mapping[str, Any], planes: bytes, at: int
) -> tuple[NDArray[np.generic], int]:
    """The tensor whose planes begin at `at`, and where they end."""
    kind, shape, before = np.dtype(how["type"]), how["shape"], _like(old, how)
    on_grid = "grid" in how
    if on_grid:
        moved_R = np.frombuffer(_together(planes[at : at + 2 * shape[0]], 2), "<i2")
        exponent_R = (_exponents(before) + moved_R).astype(np.int16)
        at += 2 * shape[0]
    size = 4 if on_grid else kind.itemsize
    end = at + size * int(np.prod(shape, dtype=np.int64))
    together = _together(planes[at:end], size)
    if on_grid:
        zigzag = np.frombuffer(together, "<u4").astype(np.int64).reshape(len(exponent_R), -1)
        steps_RV = ((zigzag >> 1) ^ -(zigzag & 1)) + _steps(before, exponent_R).astype(np.int64)
        return _values(steps_RV.astype(np.float64), exponent_R).reshape(shape), end
    bits = np.frombuffer(together, np.uint8) ^ np.frombuffer(_bytes(before), np.uint8)
    return np.frombuffer(bits.tobytes(), kind).reshape(shape), end


def _like(old: NDArray[np.generic] | None, how: Mapping[str, Any]) -> NDArray[np.generic]:
    """The tensor before, zeros where there was none of this form."""
    if old is not None and old.dtype.str == how["type"] and list(old.shape) == list(how["shape"]):
        return old
    return np.zeros(how["shape"], how["type"])


def _steps(tensor: NDArray[np.generic], exponent_R: NDArray[np.int16]) -> NDArray[np.float64]:
    """Each row in whole steps; exact for a tensor on this grid."""
    value_RV = tensor.astype(np.float64).reshape(len(exponent_R), -1)
    steps_RV: NDArray[np.float64] = np.rint(np.ldexp(value_RV, -exponent_R[:, None].astype(np.int32)))
    return steps_RV


def _exponents(tensor: NDArray[np.generic]) -> NDArray[np.int16]:
    """Those of the rows' grids; zeros where a value is not finite."""
    if not np.isfinite(tensor).all():
        return np.zeros(len(tensor), np.int16)
    return step_exponents(np.asarray(tensor, np.float32))


def _values(steps_RV: NDArray[np.float64], exponent_R: NDArray[np.int16]) -> NDArray[np.float32]:
    value_RV: NDArray[np.float32] = np.ldexp(steps_RV, exponent_R[:, None].astype(np.int32)).astype(
        np.float32
    )
    return value_RV


def _bytes(tensor: NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(tensor).tobytes()


def _planes(content: bytes, size: int) -> bytes:
    return np.frombuffer(content, np.uint8).reshape(-1, size).T.tobytes()


def _together(planes: bytes, size: int) -> bytes:
    return np.frombuffer(planes, np.uint8).reshape(size, -1).T.tobytes()
