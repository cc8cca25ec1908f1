"""A row of units as lines: all of them thin in the role's colour, the selected one in ink."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from lstm_studio.ui.plots.curves import paint_depth
from lstm_studio.ui.plots.legend import Entry, Swatch, legend_needs, paint_legend
from lstm_studio.ui.plots.raster import line_bars, line_coverage
from lstm_studio.ui.plots.row_item import Mark
from lstm_studio.ui.plots.unit_row import UnitItem

_OPACITY_OF_ONE = 1.8
_DASH, _DASH_DRAWN = 14, 8
"""Period of dashed lines and how much of it is drawn, in halves of the line's width."""


class LinesItem(UnitItem):
    """Lines as coverage: how many units pass through a pixel decides its opacity.

    Drawing hundreds of translucent lines with a painter takes a hundred times as long as adding up their coverage.
    """

    def render(self, painter: QPainter) -> None:
        """Draw all units, then the selected one."""
        self.paint_grid(painter)
        values = self.row.values if self.shown == self.row.units else self.row.values[:, self.order]
        self._paint_all(painter, values)
        if self.other is not None:
            in_sight = self.order is not None and self.other.shape[1] == self.row.units
            self._paint_all(painter, self.other[:, self.order] if in_sight else self.other, dashed=True)
        self.paint_selected(painter)

    def _paint_all(self, painter: QPainter, values: NDArray[Any], *, dashed: bool = False) -> None:
        scale = self.scale_of_time.until(len(values))
        if not scale.pixels:
            return
        low, high = line_bars(values, scale)
        half = max(1.0, scale.ratio) / 2
        coverage = line_coverage(self.y_of(high) - half, self.y_of(low) + half, self.pixel_height)
        if dashed:
            coverage[:, np.arange(scale.pixels) % (_DASH * half) >= _DASH_DRAWN * half] = 0
        opacity = min(0.999, _OPACITY_OF_ONE / values.shape[1] ** 0.5)
        paint_depth(painter, 1 - (1 - opacity) ** coverage, self.colours.text if dashed else self.colours.mark)

    def unit_near(self, step: int, y: float) -> int | None:
        """Return the unit whose line is nearest to a height, in logical pixels, at a step that the row has."""
        units = np.arange(self.row.units) if self.order is None else self.order
        distance = np.abs(self.y_of(self.row.values[step, units]) / self.scale_of_time.ratio - y)
        return int(units[np.nanargmin(distance)]) if np.isfinite(distance).any() else None

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:
        """Return the name and value of the nearest line."""
        unit = self.unit_near(min(step, len(self.row.values) - 1), y)
        return "" if unit is None else self.unit_hover(step, unit, label)

    def marks(self, step: int) -> list[Mark]:
        """Return the selected unit's point."""
        return self.selected_mark(step)

    def side_needed(self) -> float:
        """Return what the legend takes."""
        return legend_needs(self.look, (*self.legend_names, "units"))

    def paint_right(self, painter: QPainter) -> None:
        """Draw the legend."""
        entries = []
        if self.selected is not None:
            entries.append(Entry(self.legend_name(self.selected), Swatch.LINE, self.look.theme.ink))
        if self.shown > 1:
            entries.append(Entry("all" if self.row.names else "units", Swatch.LINE, self.colours.mark))
        if self.other is not None:
            entries.append(Entry("B", Swatch.DASHED, self.look.theme.ink2))
        paint_legend(painter, self.look, entries, self.height)
