"""Weights on a grid of few steps, so that two versions that differ little differ in small whole numbers.

Each output channel (row) of a tensor of two or more dimensions has a step that is a power of two: a value is
then a whole number of steps exactly, and channels of two versions have the same step unless their largest
weights lie on different sides of a power of two.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray[np.generic]]


def on_grid(tensors: Mapping[str, NDArray[np.generic]], bits: int) -> Tensors:
    """The same tensors, float32 ones of two or more dimensions rounded to steps that `bits` bits can count.

    Means, variances, biases and whole numbers stay as they are.
    """
    return {
        name: _rounded(tensor, bits) if tensor.dtype == np.float32 and tensor.ndim >= 2 else tensor
        for name, tensor in tensors.items()
    }


def _rounded(tensor: NDArray[np.generic], bits: int) -> NDArray[np.float32]:
    value_RV = tensor.astype(np.float64).reshape(len(tensor), -1)
    largest_R = np.abs(value_RV).max(axis=1, initial=0.0)
    # The least power of two of which 2^(bits - 1) - 1 reach the largest weight.
    exponent_R = np.ceil(np.log2(np.where(largest_R > 0, largest_R, 1.0) / (2 ** (bits - 1) - 1)))
    step_R1 = 2.0 ** exponent_R[:, None]
    steps_RV = np.rint(value_RV / step_R1) + 0.0  # no zero below zero
    rounded: NDArray[np.float32] = (steps_RV * step_R1).astype(np.float32)
    return rounded.reshape(tensor.shape)


def step_exponents(tensor: NDArray[np.float32]) -> NDArray[np.int16]:
    """The exponent of the largest power of two of which every value of a row is a multiple, 0 for zeros."""
    fraction_RV, exponent_RV = np.frexp(tensor.reshape(len(tensor), -1).astype(np.float64))
    mantissa_RV = np.abs(fraction_RV * 2**24).astype(np.int64)  # whole: a float32 has 24 bits
    odd_RV = mantissa_RV & -mantissa_RV  # the lowest bit that is set
    zeros_RV = np.log2(np.where(odd_RV > 0, odd_RV, 1)).astype(np.int64)
    low_RV = np.where(mantissa_RV > 0, exponent_RV - 24 + zeros_RV, 2**14)
    exponent_R = low_RV.min(axis=1)
    exponents: NDArray[np.int16] = np.where(exponent_R == 2**14, 0, exponent_R).astype(np.int16)
    return exponents
