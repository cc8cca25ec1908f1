"""What the three views of a row of units have in common: data, selection, words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from lstm_studio.ui.numbers import format_count, format_number, format_tick
from lstm_studio.ui.plots.curves import paint_curve
from lstm_studio.ui.plots.overlay import differing
from lstm_studio.ui.plots.raster import medians, quantile_bands, to_index
from lstm_studio.ui.plots.row_item import LeftLabel, Look, Mark, RowItem
from lstm_studio.ui.plots.rows import StackState, UnitRow
from lstm_studio.ui.theme import RoleColours

_TICK_PITCH = 20.0
_LINE_SHARE = 0.005
"""Part of the levels that a line covers: values that are closer cannot be told apart on the screen."""
_INSET = 4.0
"""Logical pixels kept free above and below curves, so that a curve at its limit is not cut."""


class UnitData:
    """What is derived from the values of a row, computed when first needed and kept until the values change.

    Parameters
    ----------
    row
        Gives values (T, U) and levels.
    """

    def __init__(self, row: UnitRow) -> None:
        self.values = row.values
        self.levels = row.levels

    @cached_property
    def index(self) -> NDArray[np.uint8]:
        """(T, U) table indices."""
        return to_index(self.values, self.levels)

    @cached_property
    def reference(self) -> NDArray[np.int16]:
        """(U,) median index of each unit."""
        return medians(self.index)

    @cached_property
    def bands(self) -> NDArray[np.float32]:
        """(5, T) quantiles 5, 25 %, mean, 75, 95 % over the units."""
        return quantile_bands(self.values)

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value; not-a-number where there is none."""
        return float(np.fmin.reduce(self.values, axis=None)), float(np.fmax.reduce(self.values, axis=None))

    @cached_property
    def not_finite(self) -> int:
        """How many values are not finite."""
        return int(self.values.size - np.count_nonzero(np.isfinite(self.values)))


class UnitItem(RowItem):
    """A row of units: the parts that heat map, lines and band share.

    Parameters
    ----------
    row
        What to draw.
    derived
        What is computed from it.
    look
        Theme and text scale.
    """

    def __init__(self, row: UnitRow, derived: UnitData, look: Look) -> None:
        super().__init__(look)
        self.row = row
        self.derived = derived
        self.selected: int | None = None
        self.order: NDArray[np.intp] | None = None
        self.pinned = 0

    def set_row(self, row: UnitRow, derived: UnitData) -> None:
        """Show other data; draws anew only if values, levels or colour changed."""
        changed = derived is not self.derived or row.other is not self.row.other
        changed = changed or (row.role, row.names) != (self.row.role, self.row.names)
        if changed or row.levels != self.row.levels:
            self.__dict__.pop("other", None)
        retitled = row.title != self.row.title
        self.row, self.derived = row, derived
        # Which unit is selected now is told only after the rows, whose margins are drawn at once.
        if self.selected is not None and self.selected >= row.units:
            self.selected = None
        if changed:
            self.redraw()
        elif retitled:
            self.redraw_margins()

    def apply(self, state: StackState) -> None:
        """Take over selection and order; draws anew only if one of them changed."""
        selected = state.selected.get(self.row.group)
        if selected is not None and not 0 <= selected < self.row.units:
            selected = None
        order = state.order.get(self.row.group)
        if order is not None and not (len(order) and order.min() >= 0 and order.max() < self.row.units):
            order = None
        pinned = 0 if order is None else state.pinned.get(self.row.group, 0)
        reordered = order is not self.order
        if selected == self.selected and pinned == self.pinned and not reordered:
            return
        self.selected, self.order, self.pinned = selected, order, pinned
        if reordered or self.shows_selection:
            self.redraw()
        else:
            self.redraw_margins()

    @cached_property
    def other(self) -> NDArray[np.float32] | None:
        """(T', U') what the row is compared with, not-a-number where it lies on the row's own values."""
        low, high = self.row.levels
        line = _LINE_SHARE * (high - low)
        return None if self.row.other is None else differing(self.row.values, self.row.other, line)

    @property
    def length(self) -> int:
        """How many steps the row has, of the stack's."""
        return max(len(self.row.values), 0 if self.row.other is None else len(self.row.other))

    shows_selection = True
    """Whether the selected unit is drawn into the picture, not only beside it."""

    @property
    def shown(self) -> int:
        """How many of the units are in sight."""
        return self.row.units if self.order is None else len(self.order)

    @property
    def _count(self) -> str:
        """How many units there are, and how many of them are in sight where some are not."""
        all_of_them = f"{format_count(self.row.units)} {'feature' if self.row.names else 'unit'}s"
        return all_of_them if self.shown == self.row.units else f"{format_count(self.shown)} of {all_of_them}"

    @property
    def title(self) -> str:
        """The row's title."""
        return self.row.title

    @property
    def colours(self) -> RoleColours:
        """The colours of the row's role."""
        return self.look.theme.roles[self.row.role]

    def value_at(self, step: int) -> float | None:
        """Return the value of the selected unit, or of the only one; None without either or before the first step."""
        if self._pointed is None or not 0 <= step < len(self.row.values):
            return None
        return float(self.row.values[step, self._pointed])

    @property
    def _pointed(self) -> int | None:
        return 0 if self.selected is None and self.row.units == 1 else self.selected

    def value_text(self, step: int) -> tuple[str, str]:
        """Return ("unit 14", "0.99"), or ("16 units", "") without a selected unit."""
        if self._pointed is None:
            return self._count, ""
        value = self.value_at(step)
        words = "" if value is None else format_number(value)
        other = self._other_at(step, self._pointed)
        if other is not None and format_number(other) != words:
            words += f" | {format_number(other)}"
        return self.row.unit_name(self._pointed), words

    def _other_at(self, step: int, unit: int) -> float | None:
        other = self.row.other
        if other is None or not 0 <= step < len(other) or unit >= other.shape[1]:
            return None
        return float(other[step, unit])

    def summary(self) -> str:
        """Return view, size and range in one sentence."""
        low, high = self.derived.limits
        text = f"{self.row.view.value.capitalize()} of {self._count} over {len(self.row.values)} steps"
        text += f", {format_number(low)} to {format_number(high)}"
        if self.derived.not_finite:
            text += f", {format_count(self.derived.not_finite)} values not finite"
        return text

    def unit_hover(self, step: int, unit: int, label: Callable[[int], str]) -> str:
        """Return title, unit, step and value."""
        value = format_number(float(self.row.values[step, unit])) if step < len(self.row.values) else "ended"
        other = self._other_at(step, unit)
        if other is not None:
            value = f"A {value}, B {format_number(other)}"
        return f"{self.row.title} · {self.row.unit_name(unit)} · step {label(step)} · {value}"

    def legend_name(self, unit: int) -> str:
        """Return what a legend calls a unit: its name, or ``"u14"``."""
        return self.row.names[unit] if self.row.names else f"u{unit}"

    @property
    def legend_names(self) -> tuple[str, ...]:
        """What a legend may have to say of units: all names, or the longest number."""
        return self.row.names or (self.legend_name(self.row.units - 1),)

    def selected_mark(self, step: int) -> list[Mark]:
        """Return the selected unit's point on its line, and on that of what it is compared with."""
        value = self.value_at(step)
        other = None if self._pointed is None else self._other_at(step, self._pointed)
        found = []
        for at, colour in ((other, self.look.theme.ink3), (value, self.look.theme.ink)):
            if at is not None and np.isfinite(at) and (colour == self.look.theme.ink or at != value):
                y = float(self.y_of(np.array([at]))[0]) / self.scale_of_time.ratio
                found.append(Mark(min(max(y, 0.0), self.height), colour))
        return found

    def y_of(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return device pixels from the plot's top for values between the levels."""
        low, high = self.row.levels
        ratio = self.scale_of_time.ratio
        inset = _INSET * ratio
        room = self.pixel_height - 2 * inset
        return np.asarray(inset + (high - np.asarray(values, np.float64)) / (high - low) * room, np.float64)

    def left_labels(self) -> list[LeftLabel]:
        """Return ticks at round values."""
        values = round_values(*self.row.levels, most=max(3, int(self.height / _TICK_PITCH)))[::-1]
        ys = self.y_of(np.array(values)) / self.scale_of_time.ratio
        return [
            LeftLabel(y, format_tick(value, signed=self.row.signed))
            for y, value in zip(ys.tolist(), values, strict=True)
        ]

    def paint_grid(self, painter: QPainter) -> None:
        """Draw the horizontal line at the middle of the levels."""
        middle = round(self.pixel_height / 2)
        line = max(1, round(self.scale_of_time.ratio))
        painter.fillRect(QRectF(0, middle, self.scale_of_time.pixels, line), QColor(self.look.theme.grid))

    def paint_selected(self, painter: QPainter) -> None:
        """Draw the selected unit's line in ink, 2 px wide; dashed what it is compared with."""
        if self.selected is None:
            return
        self.paint_values(painter, self.row.values[:, self.selected], self.look.theme.ink, 2.0)
        if self.other is not None and self.selected < self.other.shape[1]:
            self.paint_values(painter, self.other[:, self.selected], self.look.theme.ink, 2.0, dashed=True)

    def paint_values(
        self, painter: QPainter, values: NDArray[np.floating], colour: str, width: float, *, dashed: bool = False
    ) -> None:
        """Draw one curve, ``values`` (T,), ``width`` in logical pixels."""
        scale = self.scale_of_time.until(len(values))
        if not scale.pixels:
            return
        width *= scale.ratio
        paint_curve(painter, self.y_of(values), scale, self.pixel_height, colour=colour, width=width, dashed=dashed)


def round_values(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` (≥ 2) evenly spaced round values from ``low`` to ``high``."""
    span = high - low
    decade = 10.0 ** np.floor(np.log10(span / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = float(factor * decade)
        first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
        if last - first + 1 <= most:
            break
    values = [place * step for place in range(first, last + 1)]
    if len(values) >= 2:
        return values
    return [low, 0.0, high] if low < 0 < high and most > 2 else [low, high]
