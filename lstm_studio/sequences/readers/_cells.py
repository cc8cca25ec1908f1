"""Lines of numbers in a text file, parsed quickly, with the place of the first cell that is not a number."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError

MISSING = frozenset({"?", "", "na", "n/a", "null", "none"})
"""What stands for a missing value, in lower case, beside ``NaN``."""


def parse_cells(cells: list[str], path: Path, line: int, first_column: int = 1) -> NDArray[np.float64]:
    """Return the numbers of one line, missing ones as NaN.

    Parameters
    ----------
    cells
        The texts between the separators.
    path, line, first_column
        Where they stand, lines and columns counted from 1, for the message.

    Raises
    ------
    SequenceError
        A cell is not a number.
    """
    try:
        return np.array(list(map(float, cells)), np.float64)
    except ValueError:
        numbers = [_number(cell) for cell in cells]
    for index, number in enumerate(numbers):
        if number is None:
            raise SequenceError(
                f"{path}, line {line}, column {first_column + index}: {cells[index].strip()[:40]!r} is not a number.",
                "Correct it, or write ? or NaN where a value is missing.",
            )
    return np.array(numbers, np.float64)


def _number(cell: str) -> float | None:
    if cell.strip().lower() in MISSING:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return None
