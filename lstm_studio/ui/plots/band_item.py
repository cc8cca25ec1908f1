"""A row of units as their mean and quantile bands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.legend import Entry, Swatch, paint_legend
from lstm_studio.ui.plots.raster import envelope, polyline
from lstm_studio.ui.plots.row_item import Mark
from lstm_studio.ui.plots.unit_row import UnitItem, paint_curve

_OUTER_OPACITY = 0.18
_INNER_OPACITY = 0.32


class BandItem(UnitItem):
    """90 % and 50 % of the units as bands, their mean as a line, the selected unit in ink."""

    def render(self, painter: QPainter) -> None:
        """Draw bands, mean and selected unit; where steps share a pixel, the widest band among them."""
        self.paint_grid(painter)
        outer_low, inner_low, mean, inner_high, outer_high = self.derived.bands
        self._paint_band(painter, outer_low, outer_high, _OUTER_OPACITY)
        self._paint_band(painter, inner_low, inner_high, _INNER_OPACITY)
        x, y = polyline(mean, self.scale_of_time)
        pen = QPen(QColor(self.colours.text), 1.5 * self.scale_of_time.ratio)
        paint_curve(painter, x, self.y_of(y), pen, limit=4 * self.pixel_height)
        self.paint_selected(painter)

    def _paint_band(
        self, painter: QPainter, low: NDArray[np.float32], high: NDArray[np.float32], opacity: float
    ) -> None:
        scale = self.scale_of_time
        if scale.reduced:
            x = np.arange(scale.pixels) + 0.5
            low, high = envelope(low, scale)[0], envelope(high, scale)[1]
        else:
            x = scale.centres
            low, high = (part[scale.first : scale.first + scale.count] for part in (low, high))
        colour = QColor(self.colours.mark)
        colour.setAlphaF(opacity)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        limit = 4 * self.pixel_height
        tops, bottoms = (np.clip(self.y_of(part), -limit, limit) for part in (high, low))
        finite = np.flatnonzero(np.isfinite(tops) & np.isfinite(bottoms))
        for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1):
            forth = zip(x[run].tolist(), tops[run].tolist(), strict=True)
            back = zip(x[run[::-1]].tolist(), bottoms[run[::-1]].tolist(), strict=True)
            painter.drawPolygon(QPolygonF([QPointF(*point) for point in (*forth, *back)]))
        painter.restore()

    def marks(self, step: int) -> list[Mark]:
        """Return the selected unit's point."""
        return self.selected_mark(step)

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:  # noqa: ARG002
        """Return mean and quantiles, and the selected unit's value."""
        low, _, mean, _, high = (format_number(float(part[step])) for part in self.derived.bands)
        text = f"{self.row.title} · step {label(step)} · mean {mean} · 90 % within {low} … {high}"
        value = self.value_at(step)
        if self.selected is not None and value is not None:
            text += f" · {self.row.unit_name(self.selected)} {format_number(value)}"
        return text

    def paint_left(self, painter: QPainter) -> None:
        """Draw the levels."""
        self.paint_levels(painter)

    def paint_right(self, painter: QPainter) -> None:
        """Draw the legend."""
        entries = [
            Entry("mean", Swatch.LINE, self.colours.text),
            Entry("50%", Swatch.FILL, self.colours.mark, _OUTER_OPACITY + _INNER_OPACITY * (1 - _OUTER_OPACITY)),
            Entry("90%", Swatch.FILL, self.colours.mark, _OUTER_OPACITY),
        ]
        if self.selected is not None:
            name = self.row.names[self.selected] if self.row.names else f"u{self.selected}"
            entries.insert(0, Entry(name, Swatch.LINE, self.look.theme.ink))
        paint_legend(painter, self.look, entries, self.height)
