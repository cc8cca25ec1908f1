"""How much room the rows of the stack take beside their plots, and how its height is shared among them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lstm_studio.ui.plots.header import lines_in, view_button_side
from lstm_studio.ui.plots.row_item import RowItem
from lstm_studio.ui.plots.rows import GradientRow, Row, SymbolRow, UnitRow, View
from lstm_studio.ui.plots.unit_row import UnitItem
from lstm_studio.ui.theme import HALF_GRID, LABEL_WIDTH, PLOT_GAP, Text, scaled

LEAST_ROW = 31.0
SYMBOL_ROW = 24.0
GRADIENT_RATIO = 1.5
LABEL_GAP = 8
_MOST_LABEL_WIDTH = 1.6 * LABEL_WIDTH
_MOST_LABEL_SHARE = 0.45
"""Of the stack's width: the plots need the rest."""
_SNAP_FROM = 2
"""Pixels a unit from which heights are cut to whole pixels a unit."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Height of each row's plot, and of all rows with the gaps between them, in logical pixels."""

    heights: tuple[float, ...]
    total: float


def label_width(items: Sequence[RowItem], heights: Sequence[float], available: float) -> int:
    """Return the room that labels of rows need, within limits: for the longest title, and what stands beside it.

    Parameters
    ----------
    items
        The rows.
    heights
        Of their plots: in a row that is low the button stands beside the title.
    available
        Logical pixels for labels, plots and what is at their right.
    """
    needed = 0.0
    for item, height in zip(items, heights, strict=True):
        look = item.look
        number = look.metrics(Text.TICK_BOLD).horizontalAdvance("00")
        title = look.metrics(Text.ROW_LABEL).horizontalAdvance(item.title)
        beside = number + LABEL_GAP
        if isinstance(item, UnitItem) and lines_in(height, look) == 1:
            # The button stands on a whole pixel.
            beside += view_button_side() + 1
        needed = max(needed, look.badge + HALF_GRID + math.ceil(title) + beside)
    most = min(scaled(_MOST_LABEL_WIDTH), available * _MOST_LABEL_SHARE)
    return max(LABEL_WIDTH, math.ceil(min(most, needed)))


def side_width(items: Collection[RowItem]) -> float:
    """Return the room that scales, legends and labels need at the right of some rows, within limits."""
    return max((min(item.look.side_width, item.side_needed()) for item in items), default=0.0)


def share_height(
    rows: Sequence[Row], available: float, ratio: float = 1.0, shown: Mapping[str, int] | None = None
) -> Rows:
    """Share ``available`` logical pixels among rows.

    Rows of units are equally high, the gradient half as high again, symbols thin. No row is lower than 31 px: where
    they do not fit, the total exceeds what is available and the stack scrolls. Heat maps of up to half as many units
    as pixels get whole device pixels a unit.

    Parameters
    ----------
    rows
        From the top down.
    available
        Logical pixels.
    ratio
        Device pixels per logical pixel.
    shown
        Group → how many of its units are in sight, where that is not all.
    """
    if not rows:
        return Rows((), 0.0)
    # With the frame, and the pixel which the cursor, that hides what is to come, keeps clear of the axis.
    gaps = PLOT_GAP * (len(rows) - 1) + 3.0
    symbols = sum(isinstance(row, SymbolRow) for row in rows)
    weight = sum(_weight(row) for row in rows)
    room = available - gaps - symbols * SYMBOL_ROW
    unit = max(LEAST_ROW, room / weight) if weight else 0.0
    unit = _snapped(unit, rows, ratio, shown or {})
    heights = [SYMBOL_ROW if isinstance(row, SymbolRow) else _whole(unit * _weight(row), ratio) for row in rows]
    if weight and (gradients := [i for i, row in enumerate(rows) if isinstance(row, GradientRow)]):
        # What snapping left over goes to the gradient, which gains most from height.
        spare = max(0.0, available - gaps - sum(heights))
        heights[gradients[-1]] += _whole(min(spare, unit), ratio)
    return Rows(tuple(heights), sum(heights) + gaps)


def _weight(row: Row) -> float:
    if isinstance(row, SymbolRow):
        return 0.0
    return GRADIENT_RATIO if isinstance(row, GradientRow) else 1.0


def _whole(height: float, ratio: float) -> float:
    return int(height * ratio + 1e-6) / ratio


def _snapped(height: float, rows: Sequence[Row], ratio: float, shown: Mapping[str, int]) -> float:
    """Return the largest height up to ``height`` that gives the heat maps' units whole device pixels."""
    heat_maps = [row for row in rows if isinstance(row, UnitRow) and row.view is View.HEAT]
    counts = {shown.get(row.group, row.units) for row in heat_maps}
    pixels = int(height * ratio)
    most = max(counts, default=0)
    if most and pixels >= _SNAP_FROM * most:
        snapped = pixels - pixels % most
        if snapped / ratio >= LEAST_ROW and pixels - snapped <= pixels // 8:
            return snapped / ratio
    return _whole(height, ratio)
