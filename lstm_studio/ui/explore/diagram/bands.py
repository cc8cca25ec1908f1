"""Which units each line of a strip stands for; free of Qt.

Up to 32 units have a line each. More share sixteen lines in the order in which they are in sight: a line shows the mean
of its units, and the selected unit has a seventeenth one, with its own value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.plots.raster import column_index

MOST_SINGLE = 32
"""Units that have a line each."""
BINS = 16
_GAP = 2.0
_ALONE = 7.0
"""Height of the line that one unit has to itself below the others."""


@dataclass(frozen=True, eq=False, slots=True)
class Bands:
    """The lines of a strip, from the top.

    Parameters
    ----------
    units
        (N,) units in sight, in their order.
    starts
        (L,) places in ``units`` at which each line begins.
    marked
        The line of the selected unit, or None where none is selected.
    alone
        The selected unit, where it has a line of its own below the others: then ``marked`` is L.
    """

    units: NDArray[np.intp]
    starts: NDArray[np.intp]
    marked: int | None = None
    alone: int | None = None
    _sizes: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sizes", np.diff(self.starts, append=len(self.units)))

    @property
    def count(self) -> int:
        """L, the lines above the one that a unit has to itself."""
        return len(self.starts)

    @property
    def binned(self) -> bool:
        """Whether lines stand for several units."""
        return len(self.units) > self.count

    def members(self, line: int) -> tuple[int, ...]:
        """Return the units of a line."""
        if self.alone is not None and line == self.count:
            return (self.alone,)
        return tuple(self.units[line : line + 1] if not self.binned else np.split(self.units, self.starts[1:])[line])

    def edges(self, height: float) -> NDArray[np.float64]:
        """Return (L + 1,) heights between the lines, from 0."""
        room = height - (_GAP + _ALONE if self.alone is not None else 0.0)
        return np.linspace(0.0, room, self.count + 1)

    def span(self, line: int, height: float) -> tuple[float, float]:
        """Return top and bottom of a line of a strip of some height."""
        if self.alone is not None and line == self.count:
            return height - _ALONE, height
        edges = self.edges(height)
        return float(edges[line]), float(edges[line + 1])

    def line_at(self, y: float, height: float) -> int:
        """Return the line nearest to a height."""
        if self.alone is not None and y >= height - _ALONE - _GAP / 2:
            return self.count
        edges = self.edges(height)
        return int(np.clip(np.searchsorted(edges, y, side="right") - 1, 0, self.count - 1))

    def index(self, column: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
        """Return the table indices of the lines, as a heat map has them; the one of a single unit at the end.

        Parameters
        ----------
        column
            (U,) the values of all units at one step.
        levels
            (low, high).
        """
        shown = column[self.units]
        if self.binned:
            shown = np.add.reduceat(shown.astype(np.float64), self.starts) / self._sizes
        if self.alone is not None:
            shown = np.concatenate((shown, column[self.alone, None]))
        return column_index(shown, levels)


def bands_of(units: int, order: NDArray[np.intp] | None = None, selected: int | None = None) -> Bands:
    """Return the lines of a strip.

    Parameters
    ----------
    units
        U.
    order
        The units in sight, from the top; None for all by index.
    selected
        The selected unit, or None where none is marked.
    """
    shown = np.arange(units) if order is None else order
    if len(shown) <= MOST_SINGLE:
        starts = np.arange(len(shown))
        if selected is None:
            return Bands(shown, starts)
        places = np.flatnonzero(shown == selected)
        if len(places):
            return Bands(shown, starts, int(places[0]))
    else:
        starts = np.arange(BINS) * len(shown) // BINS
    marked = None if selected is None else len(starts)
    return Bands(shown, starts, marked, selected)
