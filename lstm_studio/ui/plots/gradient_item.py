"""Gradient magnitudes of all networks on one absolute log axis; nothing is dropped silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from lstm_studio.ui.numbers import format_count, format_decade, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.curves import paint_curve
from lstm_studio.ui.plots.end_labels import EndLabel, end_labels_need, paint_end_labels
from lstm_studio.ui.plots.legend import Entry, Swatch
from lstm_studio.ui.plots.log_axis import log_axis
from lstm_studio.ui.plots.row_item import LeftLabel, Look, Mark, RowItem
from lstm_studio.ui.plots.rows import Curve, GradientRow, StackState
from lstm_studio.ui.theme import GRID, Text

NOTHING_LEFT = "0 or below 1e−290"
"""What a norm of zero says: the engine counts as zero what lies below the range of numbers."""

_INSET = 7.0
_TICK_PITCH, _TICK_GAP = 15.0, 6.0
_MOST_TICKS = 12
_SQUARE = 5.0
_SQUARE_DISTANCE = 80.0
_MISFIT_DEPTH = 4.0
_WIDE_LINES = 4
_WIDE_POINTS = 2000


class GradientItem(RowItem):
    """Curves over time, labelled at their ends.

    Parameters
    ----------
    row
        What to draw.
    look
        Theme and text scale.
    """

    def __init__(self, row: GradientRow, look: Look) -> None:
        super().__init__(look)
        self.row = row
        self.axis = log_axis(curve.values for curve in row.curves)
        self._first_number = 1
        self._summary = _summary(row)

    def set_row(self, row: GradientRow) -> None:
        """Show other curves."""
        changed = len(row.curves) != len(self.row.curves) or any(
            new is not old for new, old in zip(row.curves, self.row.curves, strict=True)
        )
        self.row = row
        if changed:
            self.axis = log_axis(curve.values for curve in row.curves)
            self._summary = _summary(row)
            self.redraw()

    def apply(self, state: StackState) -> None:
        """Take over how steps are counted; norms follow neither selection nor order."""
        if state.first_step_number != self._first_number:
            self._first_number = state.first_step_number
            self.redraw()

    @property
    def length(self) -> int:
        """How many steps the longest curve has, of the stack's."""
        return max(len(curve.values) for curve in self.row.curves)

    @property
    def title(self) -> str:
        """The row's title."""
        return self.row.title

    def y_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return device pixels from the plot's top; not-a-number for 0 and what is not finite."""
        inset = _INSET * self.scale_of_time.ratio
        return np.asarray(inset + (1 - self.axis.fraction(values)) * (self.pixel_height - 2 * inset), np.float64)

    def _ticks(self) -> list[tuple[int, float]]:
        """Return (exponent, logical y) of the ticks that fit."""
        pitch = max(_TICK_PITCH, self.look.metrics(Text.TICK).capHeight() + _TICK_GAP)
        exponents = self.axis.ticks(min(_MOST_TICKS, int((self.height - 2 * _INSET) / pitch) + 1))
        ys = self.y_of(10.0 ** np.array(exponents, np.float64)) / self.scale_of_time.ratio
        return list(zip(exponents, ys.tolist(), strict=True))

    def render(self, painter: QPainter) -> None:
        """Draw grid, curves, and what has no place on a log axis."""
        ratio = self.scale_of_time.ratio
        for _, y in self._ticks():
            line = QRectF(0, round(y * ratio), self.scale_of_time.pixels, max(1, round(ratio)))
            painter.fillRect(line, QColor(self.look.theme.grid))
        for curve in self.row.curves:
            self._paint_curve(painter, curve)
        self._paint_misfits(painter)

    def _paint_curve(self, painter: QPainter, curve: Curve) -> None:
        scale = self.scale_of_time
        wide = len(self.row.curves) <= _WIDE_LINES and scale.count <= _WIDE_POINTS
        colour = self.look.theme.roles[curve.role].mark
        # Of what is compared, a dashed curve is as dotted as a solid one, but thinner.
        width = (1.8 if (wide or curve.other) and not (curve.other and curve.dashed) else 1.0) * scale.ratio
        ys = self.y_of(curve.values)
        part = scale.until(len(curve.values))
        if part.pixels:
            paint_curve(
                painter,
                ys,
                part,
                self.pixel_height,
                colour=colour,
                width=width,
                dashed=curve.dashed,
                dotted=curve.other,
            )
        if curve.squares:
            side = _SQUARE * scale.ratio
            stride = nice_step(_SQUARE_DISTANCE / scale.column)
            for step in range(scale.first, min(scale.first + scale.count, len(curve.values)), stride):
                at = float(self.y_of(curve.values[step : step + 1])[0])
                if np.isfinite(at):
                    centre = scale.centres[step - scale.first]
                    painter.fillRect(QRectF(centre - side / 2, at - side / 2, side, side), QColor(colour))

    def _misfits(self) -> Iterator[tuple[Curve, str, NDArray[np.intp], bool]]:
        """Yield (curve, word, visible indices, whether at the top) of what has no place on a log axis."""
        scale = self.scale_of_time
        for curve in self.row.curves:
            visible = curve.values[scale.first : scale.first + scale.count]
            for where, word, at_top in (
                (visible == 0, NOTHING_LEFT, False),
                (~np.isfinite(visible), "not finite", True),
            ):
                if where.any():
                    yield curve, word, np.flatnonzero(where), at_top

    def named(self) -> list[str]:
        """Return in words which visible values have no place on a log axis."""
        first = self.scale_of_time.first + self._first_number
        return [f"{curve.full_name}: {word} at {_span(steps + first)}" for curve, word, steps, _ in self._misfits()]

    def _paint_misfits(self, painter: QPainter) -> None:
        """Mark exact zeros at the bottom edge and what is not finite at the top edge, and say so in words."""
        scale = self.scale_of_time
        depth = _MISFIT_DEPTH * scale.ratio
        for curve, _, steps, at_top in self._misfits():
            colour = QColor(self.look.theme.roles[curve.role].mark)
            y = 0.0 if at_top else self.pixel_height - depth
            for left, right in {(int(scale.edges[step]), int(scale.edges[step + 1])) for step in steps}:
                painter.fillRect(QRectF(left, y, max(1, right - left), depth), colour)
        words = self.named()
        if words:
            painter.save()
            painter.scale(scale.ratio, scale.ratio)
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.look.theme.ink2))
            room = QRectF(GRID, 0, scale.width - 2 * GRID, self.height - 6)
            flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            text = painter.fontMetrics().elidedText(" · ".join(words), Qt.TextElideMode.ElideRight, int(room.width()))
            painter.fillRect(painter.boundingRect(room, flags, text), QColor(self.look.theme.panel))
            painter.drawText(room, flags, text)
            painter.restore()

    def marks(self, step: int) -> list[Mark]:
        """Return each curve's point."""
        found = []
        for curve in self.row.curves:
            y = float(self.y_of(curve.values[step : step + 1])[0]) if 0 <= step < len(curve.values) else np.nan
            if np.isfinite(y):
                found.append(Mark(y / self.scale_of_time.ratio, self.look.theme.roles[curve.role].mark))
        return found

    def value_text(self, step: int) -> tuple[str, str]:  # noqa: ARG002 - as of all rows
        """Return the objective; the values stand in the tool tip and at the curves."""
        return self.row.objective, ""

    def summary(self) -> str:
        """Return each curve's range in one sentence."""
        return self._summary

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:  # noqa: ARG002 - as of all rows
        """Return every curve's value at a step."""
        values = " · ".join(
            f"{curve.full_name} {format_scientific(float(curve.values[step]))}"
            for curve in self.row.curves
            if step < len(curve.values)
        )
        return f"{self.row.title} · step {label(step)} · {values}"

    def left_labels(self) -> list[LeftLabel]:
        """Return the decades."""
        return [LeftLabel(y, format_decade(exponent)) for exponent, y in reversed(self._ticks())]

    def paint_right(self, painter: QPainter) -> None:
        """Draw the end labels."""
        paint_end_labels(painter, self.look, self._end_labels(), self.height)

    def side_needed(self) -> float:
        """Return what the end labels take."""
        return end_labels_need(self.look, self._end_labels())

    def _end_labels(self) -> list[EndLabel]:
        """Return each name once, with its curves."""
        blocks: dict[str, list[Curve]] = {}
        for curve in self.row.curves:
            blocks.setdefault(curve.name, []).append(curve)
        return [
            EndLabel(
                name,
                self.look.theme.roles[curves[0].role].text,
                tuple(Entry(c.label, _swatch(c), self.look.theme.roles[c.role].mark) for c in curves),
                self._end(curves),
            )
            for name, curves in blocks.items()
        ]

    def _end(self, curves: list[Curve]) -> float:
        last = self.scale_of_time.first + self.scale_of_time.count - 1
        ends = [min(last, len(curve.values) - 1) for curve in curves]
        ys = [float(self.y_of(curve.values[end : end + 1])[0]) for curve, end in zip(curves, ends, strict=True)]
        finite = [y for y in ys if np.isfinite(y)]
        return min(finite) / self.scale_of_time.ratio if finite else self.height


def _swatch(curve: Curve) -> Swatch:
    if curve.other:
        return Swatch.DOTTED
    return Swatch.SQUARES if curve.squares else Swatch.DASHED if curve.dashed else Swatch.LINE


def _span(steps: NDArray[np.intp]) -> str:
    """Write step numbers: one, a range, or how many."""
    if len(steps) == 1:
        return f"step {steps[0]}"
    if steps[-1] - steps[0] == len(steps) - 1:
        return f"steps {steps[0]}–{steps[-1]}"
    return f"{format_count(len(steps))} steps"


def _summary(row: GradientRow) -> str:
    parts = []
    for curve in row.curves:
        positive = curve.values[np.isfinite(curve.values) & (curve.values > 0)]
        words = []
        if positive.size:
            words.append(f"{format_scientific(positive.min())} to {format_scientific(positive.max())}")
        if zeros := int(np.count_nonzero(curve.values == 0)):
            words.append(f"{NOTHING_LEFT} at {format_count(zeros)} steps")
        if odd := int(np.count_nonzero(~np.isfinite(curve.values))):
            words.append(f"not finite at {format_count(odd)} steps")
        parts.append(f"{curve.full_name} {', '.join(words)}")
    return f"{row.title} norms on a log axis: {'; '.join(parts)}"
