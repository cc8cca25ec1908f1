"""A row of units as their mean and quantile bands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainter

from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.curves import paint_band
from lstm_studio.ui.plots.legend import Entry, Swatch, legend_needs, paint_legend
from lstm_studio.ui.plots.raster import quantile_bands
from lstm_studio.ui.plots.row_item import Mark
from lstm_studio.ui.plots.unit_row import UnitData, UnitItem

_OUTER_OPACITY = 0.18
_INNER_OPACITY = 0.32


class BandItem(UnitItem):
    """90 % and 50 % of the units in sight as bands, their mean as a line, the selected unit in ink."""

    _some: tuple[UnitData, NDArray[np.intp], NDArray[np.float32]] | None = None

    @property
    def bands(self) -> NDArray[np.float32]:
        """(5, T) quantiles and mean over the units in sight, kept until data or sight change."""
        if self.order is None or self.shown == self.row.units:
            return self.derived.bands
        if self._some is None or self._some[0] is not self.derived or self._some[1] is not self.order:
            self._some = (self.derived, self.order, quantile_bands(self.row.values[:, self.order]))
        return self._some[2]

    def render(self, painter: QPainter) -> None:
        """Draw bands, mean and selected unit; where steps share a pixel, the widest band among them."""
        self.paint_grid(painter)
        outer_low, inner_low, mean, inner_high, outer_high = self.bands
        scale = self.scale_of_time.until(len(self.row.values))
        for low, high, opacity in ((outer_low, outer_high, _OUTER_OPACITY), (inner_low, inner_high, _INNER_OPACITY)):
            tops, bottoms = self.y_of(high), self.y_of(low)
            paint_band(painter, tops, bottoms, scale, self.pixel_height, colour=self.colours.mark, opacity=opacity)
        self.paint_values(painter, mean, self.colours.text, 1.5)
        if self.row.other is not None:
            for quantile, width in zip(self._other_bands(), (1.0, 0.0, 1.5, 0.0, 1.0), strict=True):
                if width:
                    self.paint_values(painter, quantile, self.colours.text, width, dashed=True)
        self.paint_selected(painter)

    def _other_bands(self) -> NDArray[np.float32]:
        """Return (5, T') as :attr:`bands`, of what the row is compared with."""
        other = self.row.other
        assert other is not None  # noqa: S101 - asked for only where there is one
        if self.order is not None and other.shape[1] == self.row.units:
            other = other[:, self.order]
        return quantile_bands(other)

    def marks(self, step: int) -> list[Mark]:
        """Return the selected unit's point."""
        return self.selected_mark(step)

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:  # noqa: ARG002 - as of all rows
        """Return mean and quantiles, and the selected unit's value."""
        step = min(step, len(self.row.values) - 1)
        low, _, mean, _, high = (format_number(float(part[step])) for part in self.bands)
        text = f"{self.row.title} · step {label(step)} · mean {mean} · 90 % within {low} … {high}"
        value = self.value_at(step)
        if self.selected is not None and value is not None:
            text += f" · {self.row.unit_name(self.selected)} {format_number(value)}"
        return text

    def side_needed(self) -> float:
        """Return what the legend takes."""
        return legend_needs(self.look, (*self.legend_names, "mean"))

    def paint_right(self, painter: QPainter) -> None:
        """Draw the legend."""
        entries = [
            Entry("mean", Swatch.LINE, self.colours.text),
            Entry("50%", Swatch.FILL, self.colours.mark, _OUTER_OPACITY + _INNER_OPACITY * (1 - _OUTER_OPACITY)),
            Entry("90%", Swatch.FILL, self.colours.mark, _OUTER_OPACITY),
        ]
        if self.selected is not None:
            entries.insert(0, Entry(self.legend_name(self.selected), Swatch.LINE, self.look.theme.ink))
        if self.row.other is not None:
            entries.insert(0, Entry("B", Swatch.DASHED, self.look.theme.ink2))
        paint_legend(painter, self.look, entries, self.height)
