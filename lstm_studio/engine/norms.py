"""Norms of rows that neither underflow nor overflow on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE_SQUARE = 1e-280
"""Sums of squares between this and its inverse have lost nothing to the ends of float64's range."""
_SHIFT = 2.0**600
"""Brings rows whose squares are below the former, and above what float64 holds, to where their squares are safe."""


def row_norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of (T, N), (T,) float64."""
    return row_norms_by_name({"": rows})[""]


def row_norms_by_name(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
    """Return :func:`row_norms` of several arrays by their names.

    Those of one length lie in one piece of memory, and are looked at together: to look at a few hundred numbers takes
    about as long as to look at a few thousand.
    """
    lengths = {len(rows) for rows in arrays.values()}
    if len(lengths) > 1:
        return {name: row_norms(rows) for name, rows in arrays.items()}
    squares = np.empty((len(arrays), *lengths))
    wide = [rows.astype(np.float64, copy=False) for rows in arrays.values()]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for rows, own in zip(wide, squares, strict=True):
            np.vecdot(rows, rows, own)
        norms = np.sqrt(squares)
        _bring_back(wide, squares, norms)
    return dict(zip(arrays, norms, strict=True))


def _bring_back(
    arrays: Sequence[NDArray[np.float64]], squares: NDArray[np.float64], norms: NDArray[np.float64]
) -> None:
    """Compute the norms (N, T) again, in place, of the rows of N arrays whose sums of squares have lost something."""
    if squares.min(initial=1.0) >= _SAFE_SQUARE and squares.max(initial=1.0) < 1 / _SAFE_SQUARE:
        return
    small, large = squares < _SAFE_SQUARE, ~(squares < 1 / _SAFE_SQUARE)
    for risky, scale in ((small, _SHIFT), (large, 1 / _SHIFT)):
        for place in np.flatnonzero(risky.any(axis=1)).tolist():
            rows = risky[place]
            some = arrays[place][rows] * scale
            norms[place, rows] = np.sqrt(np.vecdot(some, some)) / scale
