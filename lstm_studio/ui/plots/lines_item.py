"""A row of units as lines: all of them thin in the role's colour, the selected one in ink."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtGui import QPainter

from lstm_studio.ui.plots.curves import paint_depth
from lstm_studio.ui.plots.legend import Entry, Swatch, paint_legend
from lstm_studio.ui.plots.raster import line_bars, line_coverage
from lstm_studio.ui.plots.row_item import Mark
from lstm_studio.ui.plots.unit_row import UnitItem

_OPACITY_OF_ONE = 1.8


class LinesItem(UnitItem):
    """Lines as coverage: how many units pass through a pixel decides its opacity.

    Drawing hundreds of translucent lines with a painter takes a hundred times as long as adding up their coverage.
    """

    def render(self, painter: QPainter) -> None:
        """Draw all units, then the selected one."""
        self.paint_grid(painter)
        values = self.row.values if self.shown == self.row.units else self.row.values[:, self.order]
        low, high = line_bars(values, self.scale_of_time)
        half = max(1.0, self.scale_of_time.ratio) / 2
        coverage = line_coverage(self.y_of(high) - half, self.y_of(low) + half, self.pixel_height)
        opacity = min(0.999, _OPACITY_OF_ONE / self.shown**0.5)
        paint_depth(painter, 1 - (1 - opacity) ** coverage, self.colours.mark)
        self.paint_selected(painter)

    def unit_near(self, step: int, y: float) -> int | None:
        """Return the unit whose line is nearest to a height, in logical pixels, at a step."""
        units = np.arange(self.row.units) if self.order is None else self.order
        distance = np.abs(self.y_of(self.row.values[step, units]) / self.scale_of_time.ratio - y)
        return int(units[np.nanargmin(distance)]) if np.isfinite(distance).any() else None

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:
        """Return the name and value of the nearest line."""
        unit = self.unit_near(step, y)
        return "" if unit is None else self.unit_hover(step, unit, label)

    def marks(self, step: int) -> list[Mark]:
        """Return the selected unit's point."""
        return self.selected_mark(step)

    def paint_right(self, painter: QPainter) -> None:
        """Draw the legend."""
        entries = []
        if self.selected is not None:
            name = self.row.names[self.selected] if self.row.names else f"u{self.selected}"
            entries.append(Entry(name, Swatch.LINE, self.look.theme.ink))
        if self.shown > 1:
            entries.append(Entry("all" if self.row.names else "units", Swatch.LINE, self.colours.mark))
        paint_legend(painter, self.look, entries, self.height)
