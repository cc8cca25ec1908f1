"""What a row is compared with, over its own lines: only where the two differ, so that what coincides stays calm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def differing(values: NDArray[Any], other: NDArray[Any], width: float = 0.0) -> NDArray[np.float32]:
    """Return ``other`` with not-a-number wherever it lies on ``values``, so that no second line is drawn on the first.

    Parameters
    ----------
    values
        (T, U).
    other
        (T', U'). With another number of units there is nothing that it could lie on.
    width
        Up to where two values cannot be told apart.

    Returns
    -------
    array
        (T', U') float32; a step beside one that differs is kept, so that lines part where they part.
    """
    shown = np.array(other, np.float32)
    if values.shape[1] != other.shape[1]:
        return shown
    steps = min(len(values), len(other))
    before, after = values[:steps], other[:steps]
    with np.errstate(invalid="ignore"):
        same = (np.abs(after - before) <= width) | (before == after) | (np.isnan(before) & np.isnan(after))
    alone = same.copy()
    alone[:-1] &= same[1:]
    alone[1:] &= same[:-1]
    if steps < len(other) and steps:
        # The line goes on from here.
        alone[-1] = False
    shown[:steps][alone] = np.nan
    return shown
