"""Norms of rows that neither underflow nor overflow on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAFE_SQUARE = 1e-280
"""Sums of squares between this and its inverse have lost nothing to the ends of float64's range."""


def row_norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of (T, N), (T,) float64."""
    wide = rows.astype(np.float64, copy=False)
    squares = np.einsum("tu,tu->t", wide, wide)
    risky = ~((squares > _SAFE_SQUARE) & (squares < 1 / _SAFE_SQUARE))
    norms: NDArray[np.float64] = np.sqrt(squares)
    if risky.any():
        some = wide[risky]
        largest = np.abs(some).max(axis=1, initial=0.0)
        safe = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        norms[risky] = safe * np.linalg.norm(some / safe[:, None], axis=1)
    return norms
