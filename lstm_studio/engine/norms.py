"""Norms of rows that neither underflow nor overflow on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE_SQUARE = 1e-280
"""Sums of squares between this and its inverse have lost nothing to the ends of float64's range."""
_SHIFT = 2.0**480
"""Brings rows whose squares are below the former, and above what float64 holds, to where their squares are safe."""


def row_norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of (T, N), (T,) float64."""
    wide = rows.astype(np.float64, copy=False)
    squares = np.vecdot(wide, wide)
    norms: NDArray[np.float64] = np.sqrt(squares)
    if squares.min(initial=1.0) >= _SAFE_SQUARE and squares.max(initial=1.0) < 1 / _SAFE_SQUARE:
        return norms
    small, large = squares < _SAFE_SQUARE, ~(squares < 1 / _SAFE_SQUARE)
    for risky, scale in ((small, _SHIFT), (large, 1 / _SHIFT)):
        if risky.any():
            some = wide[risky] * scale
            norms[risky] = np.sqrt(np.vecdot(some, some)) / scale
    return norms
