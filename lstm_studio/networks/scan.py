"""First-order linear recurrences over all steps at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def linear_scan(factor: Array, term: Array, initial: Array, out: Array | None = None) -> Array:
    """Return y with ``y_t = factor_t ⊙ y_{t−1} + term_t``.

    The steps are cut into some 2·√T chunks of √T/2 steps that advance side by side, as if each began at zero. Then the
    states that enter the chunks are found, over spans of one chunk, of two, of four and so on, and carried in through
    the products of the factors. That takes some 2·√T operations on arrays in place of 2·T, and its rounding errors are
    no larger than a plain loop's where the factors lie in 0…1.

    Parameters
    ----------
    factor, term
        (T, H), T at least 1.
    initial
        (H,), y before the first step.
    out
        (T, H), where to write y; None for a new array.

    Returns
    -------
    ndarray
        (T, H), in the precision of ``term``.
    """
    steps, units = term.shape
    chunk = max(1, math.isqrt(steps) // 2)
    chunks = -(-steps // chunk)
    whole = (chunks - 1) * chunk
    rest = steps - whole  # 1 … chunk steps are in the last chunk

    def by_chunk(array: Array) -> Array:
        # Step within the chunk first: each operation below then reads and writes one stretch of memory.
        return array[:whole].reshape(chunks - 1, chunk, units).transpose(1, 0, 2)

    inside, through = np.empty((2, chunk, chunks, units), term.dtype)
    for array, copy in ((term, inside), (factor, through)):
        copy[:, :-1] = by_chunk(array)
        copy[:rest, -1] = array[whole:]
        copy[rest:, -1] = 0
    scratch = np.empty((chunks, units), term.dtype)
    y = np.empty_like(term) if out is None else out
    with np.errstate(all="ignore"):
        for step in range(1, chunk):
            np.multiply(through[step], inside[step - 1], scratch)
            np.add(inside[step], scratch, inside[step])
            np.multiply(through[step], through[step - 1], through[step])
        entering = scratch
        _carry(through[-1, :-1], inside[-1, :-1], initial, entering)
        through *= entering
        np.add(inside[:, :-1], through[:, :-1], by_chunk(y))
        np.add(inside[:rest, -1], through[:rest, -1], y[whole:])
    return y


def _carry(factor: Array, term: Array, initial: Array, out: Array) -> None:
    """Write ``initial`` into the first row of ``out``, and the y of every row of ``factor`` and ``term`` behind it."""
    out[0] = initial
    if not len(term):
        return
    product, found = factor.copy(), out[1:]
    found[0] = product[0] * out[0] + term[0]
    found[1:] = term[1:]
    # Each row holds what came of the last ``reach`` rows.
    reach = 1
    while reach < len(found):
        found[reach:] += product[reach:] * found[:-reach]
        product[reach:] = product[reach:] * product[:-reach]
        reach *= 2
