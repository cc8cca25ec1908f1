"""Products of gradients with weights that keep the range of float64 at the speed of float32.

Gradients that vanish leave the range of float32 (1e-38) long before they stop being worth seeing. Weights in float32 do
not: so a gradient is scaled to about 1, multiplied in float32, and scaled back. Only for matrices too large for the
second-level cache, where float64 costs 2 to 3 times as much time; small ones are multiplied in float64 as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LARGE = 1 << 17
"""Entries above which a matrix of float64 (here 1 MiB) is too large to be worth it."""
_BLOCK = 1 << 18
"""Entries that are multiplied at once: OpenBLAS would share out more among threads, which wait for each other at every
step, and on a busy machine do little else (measured at 512 units and 1000 steps: 1400 against 100 ms)."""
_STEPS_PER_SCALE = 4
"""Steps that share a scale: together they may shrink or grow a gradient by some 30 orders of magnitude."""
STEPS_PER_CHECK = 32
"""How often back-propagation through time asks whether anything is left to propagate."""
_VANISHED = 1e-290
"""Below lie the subnormal numbers of float64 (from 2e-308 down), which lose digits, never quite reach zero when
multiplied by factors above 1/2, and are handled a hundred times more slowly."""


def has_vanished(*gradients: Array) -> bool:
    """Return whether all entries are so small that float64 is about to fail: what follows is to count as zero."""
    return all(max(float(gradient.max()), -float(gradient.min())) < _VANISHED for gradient in gradients)


def repeated_product(matrix: Array) -> Callable[[Array, Array], object]:
    """Return ``multiply(vector, out)``, which writes ``matrix @ vector``, for calls with slowly changing vectors.

    Parameters
    ----------
    matrix
        (M, N) float32 or float64.

    Returns
    -------
    callable
        Takes ``vector`` (N,) and ``out`` (M,), both float64.
    """
    if matrix.dtype == np.float64 or matrix.size <= _LARGE:
        return _blockwise_product(matrix.astype(np.float64, copy=False))
    return _ScaledProduct(np.ascontiguousarray(matrix))


def _blockwise_product(matrix: Array) -> Callable[[Array, Array], object]:
    if matrix.size <= _BLOCK:
        # Column by column, which takes OpenBLAS four fifths of the time; and the method, because NumPy's function asks
        # every argument first whether it would rather do the work itself.
        return np.asfortranarray(matrix).dot
    rows = max(1, _BLOCK // matrix.shape[1])
    blocks = [(slice(start, start + rows), matrix[start : start + rows]) for start in range(0, len(matrix), rows)]

    def multiply(vector: Array, out: Array) -> None:
        for where, block in blocks:
            np.dot(block, vector, out[where])

    return multiply


class _ScaledProduct:
    def __init__(self, matrix: Array) -> None:
        self._multiply = _blockwise_product(matrix)
        self._vector = np.empty(matrix.shape[1], np.float32)
        self._product = np.empty(matrix.shape[0], np.float32)
        self._calls = 0
        self._scale = 1.0

    def __call__(self, vector: Array, out: Array) -> None:
        if self._calls % _STEPS_PER_SCALE == 0:
            largest = max(float(vector.max()), -float(vector.min()))
            self._scale = largest if 0 < largest < np.inf else 1.0
        self._calls += 1
        np.divide(vector, self._scale, self._vector, casting="same_kind")
        self._multiply(self._vector, self._product)
        # A Python float takes the other operand's precision: without dtype the scale itself would underflow.
        np.multiply(self._product, self._scale, out, dtype=np.float64)


def row_product(rows: Array, matrix: Array) -> Array:
    """Return ``rows @ matrix`` in float64, each row scaled by itself.

    Parameters
    ----------
    rows
        (T, M) float64.
    matrix
        (M, N) float32 or float64.
    """
    product: Array
    if matrix.dtype == np.float64 or matrix.size <= _LARGE:
        product = rows @ matrix.astype(np.float64, copy=False)
        return product
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    product = ((rows / scale).astype(np.float32) @ matrix) * scale
    return product
