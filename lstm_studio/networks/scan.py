"""First-order linear recurrences over all steps at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def linear_scan(factor: Array, term: Array, initial: Array) -> Array:
    """Return y with ``y_t = factor_t ⊙ y_{t−1} + term_t``.

    The steps are cut into about √(2T) chunks of √(T/2) steps that advance side by side, as if each began at zero; then
    the state that enters each chunk is carried in through the product of its factors. That takes some 4·√(2T)
    operations on arrays in place of 2·T, and its rounding errors are no larger than a plain loop's where the factors
    lie in 0…1.

    Parameters
    ----------
    factor, term
        (T, H), T at least 1.
    initial
        (H,), y before the first step.

    Returns
    -------
    ndarray
        (T, H), in the precision of ``term``.
    """
    steps, units = term.shape
    chunk = max(1, math.isqrt(steps // 2))
    chunks = steps // chunk
    whole = chunks * chunk

    def by_chunk(array: Array) -> Array:
        # Step within the chunk first: each operation below then reads and writes one stretch of memory.
        return array[:whole].reshape(chunks, chunk, units).transpose(1, 0, 2)

    inside = np.array(by_chunk(term), order="C")
    through = np.array(by_chunk(factor), term.dtype, order="C")
    scratch = np.empty((chunks, units), term.dtype)
    entering = np.empty_like(scratch)
    y = np.empty_like(term)
    with np.errstate(all="ignore"):
        for step in range(1, chunk):
            np.multiply(through[step], inside[step - 1], scratch)
            np.add(inside[step], scratch, inside[step])
            np.multiply(through[step], through[step - 1], through[step])
        carried = initial
        for index in range(chunks):
            entering[index] = carried
            carried = through[-1, index] * carried + inside[-1, index]
        through *= entering
        np.add(inside, through, by_chunk(y))
        for step in range(whole, steps):
            np.multiply(factor[step], carried, y[step])
            y[step] += term[step]
            carried = y[step]
    return y
