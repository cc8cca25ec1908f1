"""Norms of rows that neither underflow nor overflow on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE_SQUARE = 1e-280
"""Sums of squares between this and its inverse have lost nothing to the ends of float64's range."""
_SHIFT = 2.0**600
"""Brings rows whose squares are below the former, and above what float64 holds, to where their squares are safe."""


def row_norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of (T, N), (T,) float64."""
    wide = rows.astype(np.float64, copy=False)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.vecdot(wide, wide)
        norms: NDArray[np.float64] = np.sqrt(squares)
        if _are_safe(squares):
            return norms
        small, large = squares < _SAFE_SQUARE, ~(squares < 1 / _SAFE_SQUARE)
        for risky, scale in ((small, _SHIFT), (large, 1 / _SHIFT)):
            if risky.any():
                some = wide[risky] * scale
                norms[risky] = np.sqrt(np.vecdot(some, some)) / scale
    return norms


def row_norms_by_name(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
    """Return :func:`row_norms` of several arrays by their names.

    Where they are of one length the norms lie in one piece of memory, and are looked at together: to look at a few
    hundred numbers takes about as long as to look at a few thousand.
    """
    lengths = {len(rows) for rows in arrays.values()}
    if len(lengths) == 1:
        squares = np.empty((len(arrays), lengths.pop()))
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            for rows, own in zip(arrays.values(), squares, strict=True):
                wide = rows.astype(np.float64, copy=False)
                np.vecdot(wide, wide, own)
            if _are_safe(squares):
                return dict(zip(arrays, np.sqrt(squares, squares), strict=True))
    return {name: row_norms(rows) for name, rows in arrays.items()}


def _are_safe(squares: NDArray[np.float64]) -> bool:
    """Return whether all lie where they have lost nothing."""
    return bool(squares.min(initial=1.0) >= _SAFE_SQUARE and squares.max(initial=1.0) < 1 / _SAFE_SQUARE)
