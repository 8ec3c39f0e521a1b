"""A delta rebuilds its version to the bit or is refused, and is small where versions are alike on a grid."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_sim.registry import Bundle, Registry, RegistryError
from fleet_sim.registry.bundle import pack
from fleet_sim.registry.delta import delta_of, rebuilt, whole
from fleet_sim.registry.grid import on_grid, step_exponents

FLOATS = hnp.arrays(
    np.float32, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(width=32, allow_nan=True)
)


def bundle(**tensors: np.ndarray) -> Bundle:
    manifest: dict[str, object] = {"recipe": "x"}
    version, _ = pack("encoder", manifest, {"weights": tensors})
    return Bundle(version, "encoder", manifest | {"kind": "encoder"}, {"weights": tensors})


@given(FLOATS, FLOATS)
def test_any_tensors_come_back_to_the_bit(old: np.ndarray, new: np.ndarray) -> None:
    before, after = bundle(m=old), bundle(n=np.array(7), m=new, a=np.arange(5, dtype=np.int16))
    back = rebuilt(before, delta_of(before, after))
    assert back.id == after.id
    for name, tensor in after.tensors["weights"].items():
        assert back.tensors["weights"][name].tobytes() == tensor.tobytes()
        assert back.tensors["weights"][name].shape == tensor.shape


@given(FLOATS.filter(lambda a: a.ndim >= 2 and bool(np.isfinite(a).all())))
def test_rows_are_whole_numbers_of_their_steps_and_of_no_larger_ones(tensor: np.ndarray) -> None:
    value_RV = tensor.reshape(len(tensor), -1).astype(np.float64)
    for row, exponent in zip(value_RV, step_exponents(tensor).tolist(), strict=True):
        steps = row / 2.0**exponent
        assert (steps == np.rint(steps)).all()
        assert not row.any() or (steps % 2).any()


def test_a_grid_keeps_its_promise_and_leaves_vectors_alone() -> None:
    draws = np.random.default_rng(1)
    tensors = {"w": draws.standard_normal((8, 3, 3)).astype(np.float32), "bias": np.float32([0.1, 0.2])}
    gridded = on_grid(tensors, 8)
    assert (gridded["bias"] == tensors["bias"]).all()
    for row, old in zip(gridded["w"], tensors["w"], strict=True):
        step = 2.0 ** int(step_exponents(row[None].reshape(1, -1))[0])
        assert np.abs(row).max() / step <= 127
        assert np.abs(row - old).max() <= np.abs(old).max() / 127
    assert (on_grid(gridded, 8)["w"] == gridded["w"]).all()


def test_what_changed_little_is_small_on_a_grid_only() -> None:
    draws = np.random.default_rng(2)
    old_w = draws.standard_normal((64, 400)).astype(np.float32)
    new_w = old_w * (1 + 0.005 * draws.standard_normal(old_w.shape).astype(np.float32))

    def ratio(bits: int | None) -> float:
        old, new = (bundle(**({"w": w} if bits is None else on_grid({"w": w}, bits))) for w in (old_w, new_w))
        return len(delta_of(old, new)) / len(whole(new))

    assert ratio(8) < 0.33
    assert ratio(None) > 0.6


def test_a_damaged_delta_or_one_for_another_version_is_refused(tmp_path: Path) -> None:
    registry, draws = Registry(tmp_path), np.random.default_rng(3)
    old, new, other = (
        registry.load(
            registry.publish("encoder", {"n": n}, {"weights": {"w": draws.standard_normal((4, 4))}})
        )
        for n in range(3)
    )
    delta = delta_of(old, new)
    assert rebuilt(old, delta).id == new.id
    with pytest.raises(RegistryError, match=f"for version {old.id[:16]}, not for {other.id[:16]}"):
        rebuilt(other, delta)
    for place in range(len(delta)):
        altered = bytearray(delta)
        altered[place] ^= 1 + place % 255
        try:  # a change that rebuilds the very same version does no harm: packing has bits that say nothing
            assert rebuilt(old, bytes(altered)).id == new.id
        except RegistryError:
            continue
    for length in range(len(delta)):
        with pytest.raises(RegistryError):
            rebuilt(old, delta[:length])
